// RFC 9285, as a reader who has only the RFC would write it.
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';

export function decode(text) {
	const out = [];
	for (let i = 0; i < text.length; i += 3) {
		const digits = [...text.slice(i, i + 3)].map((c) => alphabet.indexOf(c));
		const n = digits.reduceRight((sum, digit) => sum * 45 + digit, 0);
		if (digits.includes(-1) || digits.length === 1 || n >= (digits.length === 3 ? 65536 : 256))
			throw new Error('not base45');
		if (digits.length === 3)
			out.push(n >> 8);
		out.push(n & 255);
	}
	return Uint8Array.from(out);
}

export function encode(bytes) {
	let text = '';
	for (let i = 0; i < bytes.length; i += 2) {
		const pair = i + 1 < bytes.length;
		let n = pair ? bytes[i] * 256 + bytes[i + 1] : bytes[i];
		for (let digit = pair ? 3 : 2; digit > 0; digit--, n = Math.floor(n / 45))
			text += alphabet[n % 45];
	}
	return text;
}
