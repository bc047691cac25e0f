// Read what epermit signed with stacks nobody here wrote.
//
//     node read.mjs auth0|cbor-x|jose|pixelpass <bundle.json
//
// Bundle and answer are those of read.py.  Each stack does as much as it can:
//   auth0      @auth0/cose decodes and verifies the message; keys from the JSON Web Key Set
//   cbor-x     cbor-x decodes, node:crypto verifies; keys from the COSE key set
//   jose       cbor-x decodes, WebCrypto verifies with keys that jose imports
//   pixelpass  @mosip/pixelpass decodes text, zlib and CBOR; node:crypto verifies
import crypto from 'node:crypto';
import { readFileSync } from 'node:fs';
import zlib from 'node:zlib';
import { Encoder } from 'cbor-x';
import { decode as base45Decode } from './base45.mjs';

const stack = process.argv[2];
const bundle = JSON.parse(readFileSync(0));
const cbor = new Encoder({ mapsAsObjects: false, useRecords: false, tagUint8Array: false });
const hex = (bytes) => Buffer.from(bytes).toString('hex');

const assert = (condition, what) => {
	if (!condition)
		throw new Error(what);
};

// ---------------------------------------------------------------- keys

const thumbprint = (x) =>
	hex(crypto.createHash('sha256').update(cbor.encode(new Map([[1, 1], [-1, 6], [-2, x]]))).digest()).slice(0, 16);

const keys = {};
if (stack === 'auth0' || stack === 'jose') {
	const { importJWK } = await import('jose');
	for (const jwk of bundle.jwks.keys) {
		assert(thumbprint(Buffer.from(jwk.x, 'base64url')) === hex(Buffer.from(jwk.kid, 'base64url')), 'kid');
		keys[hex(Buffer.from(jwk.kid, 'base64url'))] = await importJWK(jwk, 'EdDSA');
	}
} else {
	for (const key of cbor.decode(Buffer.from(bundle.cose_keyset, 'hex'))) {
		assert(thumbprint(key.get(-2)) === hex(key.get(2)), 'kid');
		keys[hex(key.get(2))] = crypto.createPublicKey({
			format: 'jwk',
			key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key.get(-2)).toString('base64url') },
		});
	}
}

// ---------------------------------------------------------------- COSE_Sign1

// What was signed: the parts of a message to its protected header and claims.
async function verify(protectedBytes, unprotected, payload, signature) {
	const header = cbor.decode(protectedBytes);
	assert(header.get(1) === -8 && unprotected.size === 0, 'headers');
	const key = keys[hex(header.get(4))];
	const tbs = cbor.encode(['Signature1', protectedBytes, new Uint8Array(), payload]);
	const held = stack === 'jose'
		? await crypto.subtle.verify('Ed25519', key, signature, tbs)
		: crypto.verify(null, tbs, key, signature);
	assert(held, 'signature');
	return [header, cbor.decode(payload)];
}

const readers = {
	async auth0(message) {
		const { Sign1 } = await import('@auth0/cose');
		const sign1 = Sign1.decode(message);
		assert(sign1 instanceof Sign1 && sign1.unprotectedHeaders.size === 0, 'no COSE_Sign1');
		const header = new Map(sign1.protectedHeaders);
		await sign1.verify(keys[hex(header.get(4))], { algorithms: [-8] });
		return [header, cbor.decode(sign1.payload)];
	},
	async pixelpass(message, text) {
		const { decode } = (await import('@mosip/pixelpass')).default;
		const decoded = JSON.parse(decode(text));
		assert(decoded.tag === 18, `not tagged: ${JSON.stringify(decoded).slice(0, 60)}`);
		const [protectedBytes, unprotected, payload, signature] = decoded.value.map(
			(part) => part.type === 'Buffer' ? Buffer.from(part.data) : new Map(Object.entries(part)));
		return verify(protectedBytes, unprotected, payload, signature);
	},
	async 'cbor-x'(message) {
		const tagged = cbor.decode(message);
		assert(tagged.tag === 18, 'no COSE_Sign1');
		return verify(...tagged.value);
	},
};
readers.jose = readers['cbor-x'];

// ---------------------------------------------------------------- claims

const common = (header, claims) => {
	const status = claims.get(65535).get('status_list');
	return {
		kid: hex(header.get(4)),
		typ: header.get(16) ?? null,
		iss: claims.get(1),
		exp: claims.get(4),
		nbf: claims.get(5),
		iat: claims.get(6),
		cti: hex(claims.get(7)),
		idx: status.get('idx'),
		uri: status.get('uri'),
	};
};

const kinds = {
	permit(header, claims) {
		const person = claims.get(169);
		assert(person.get(3) === 'zho' && person.get(20) === 'eng' && person.get(23) === 'CHN', 'constants');
		return {
			...common(header, claims),
			number: person.get(1),
			name_zh: person.get(4),
			birth_date: person.get(8),
			sex: person.get(9),
			nationality: person.get(13),
			name_romanised: person.get(19),
			region: person.get(75),
			document_no: person.get(76),
			purposes: person.get(77),
			portrait: person.has(78) ? hex(person.get(78)) : null,
		};
	},
	linkage(header, claims, item) {
		const linkage = claims.get(-65537);
		const commitment = crypto.createHmac('sha256', linkage.get(6)).update(item.documents.join('|')).digest();
		return {
			...common(header, claims),
			travel_kind: linkage.get(2),
			residence_kind: linkage.get(3),
			travel_no: linkage.get(4),
			residence_no: linkage.get(5),
			linked: hex(commitment).slice(0, 32) === hex(linkage.get(7)),
		};
	},
	list(header, claims) {
		const bits = claims.get(65533).get('bits');
		const entries = zlib.inflateSync(claims.get(65533).get('lst'));
		const said = {};
		for (let idx = 0; idx < entries.length * 8 / bits; idx++) {
			const bit = idx * bits;
			const status = entries[bit >> 3] >> (bit & 7) & (1 << bits) - 1;
			if (status !== 0)
				said[idx] = status;
		}
		return {
			kid: hex(header.get(4)),
			typ: header.get(16),
			sub: claims.get(2),
			exp: claims.get(4),
			iat: claims.get(6),
			ttl: claims.get(65534),
			entries: entries.length * 8 / bits,
			said,
		};
	},
};

const found = {};
for (const [name, item] of Object.entries(bundle.items)) {
	if (stack === 'pixelpass' && item.hex !== undefined)
		continue;		// it reads texts only
	try {
		const message = item.hex !== undefined
			? Buffer.from(item.hex, 'hex')
			: zlib.inflateSync(base45Decode(item.text));
		found[name] = kinds[item.kind](...await readers[stack](message, item.text), item);
	} catch (e) {
		found[name] = { error: String(e) };
	}
}
process.stdout.write(JSON.stringify(found));
