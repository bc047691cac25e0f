// Read a QR code as a bad camera sees it.
//
//     node scan.mjs IN.png OUT.png DEGREES SIGMA
//
// Blurs the picture (Gaussian, SIGMA in pixels) and turns it (bilinear), writes it to OUT.png for other readers, and
// prints what jsqr reads in it.
import { readFileSync, writeFileSync } from 'node:fs';
import jsqr from 'jsqr';
import { PNG } from 'pngjs';

const [, , from, to, degrees, sigma] = process.argv;
const source = PNG.sync.read(readFileSync(from));

// Grey, 0 to 255; white outside.
const grey = (x, y) => x < 0 || y < 0 || x >= source.width || y >= source.height ? 255 : source.data[4 * (y * source.width + x)];

const radius = Math.ceil(3 * sigma);
const kernel = [];
for (let dy = -radius; dy <= radius; dy++)
	for (let dx = -radius; dx <= radius; dx++)
		kernel.push([dx, dy, radius === 0 ? 1 : Math.exp(-(dx * dx + dy * dy) / (2 * sigma * sigma))]);
const whole = kernel.reduce((sum, [, , weight]) => sum + weight, 0);
const blurred = new Float64Array(source.width * source.height).map((_, i) => {
	const [x, y] = [i % source.width, Math.floor(i / source.width)];
	return kernel.reduce((sum, [dx, dy, weight]) => sum + weight * grey(x + dx, y + dy), 0) / whole;
});
const seen = (x, y) => x < 0 || y < 0 || x >= source.width || y >= source.height ? 255 : blurred[y * source.width + x];

const angle = Number(degrees) * Math.PI / 180;
const size = Math.ceil(Math.max(source.width, source.height) * (Math.abs(Math.sin(angle)) + Math.abs(Math.cos(angle))));
const out = new PNG({ width: size, height: size });
for (let y = 0; y < size; y++) {
	for (let x = 0; x < size; x++) {
		const [u, v] = [x - (size - 1) / 2, y - (size - 1) / 2];
		const sx = u * Math.cos(angle) + v * Math.sin(angle) + (source.width - 1) / 2;
		const sy = v * Math.cos(angle) - u * Math.sin(angle) + (source.height - 1) / 2;
		const [x0, y0] = [Math.floor(sx), Math.floor(sy)];
		const [fx, fy] = [sx - x0, sy - y0];
		const value = (seen(x0, y0) * (1 - fx) + seen(x0 + 1, y0) * fx) * (1 - fy) +
			(seen(x0, y0 + 1) * (1 - fx) + seen(x0 + 1, y0 + 1) * fx) * fy;
		out.data.set([value, value, value, 255], 4 * (y * size + x));
	}
}
writeFileSync(to, PNG.sync.write(out));
process.stdout.write((jsqr.default ?? jsqr)(Uint8ClampedArray.from(out.data), size, size)?.data ?? '');
