// Make permits with stacks nobody here wrote, as make.py does.
//
//     node make.mjs auth0|cbor-x NOW
//
//   auth0      @auth0/cose encodes and signs
//   cbor-x     cbor-x encodes, node:crypto signs
import crypto from 'node:crypto';
import zlib from 'node:zlib';
import { Encoder, Tag } from 'cbor-x';
import { exportJWK, generateKeyPair } from 'jose';
import { Headers, ProtectedHeaders, Sign1, UnprotectedHeaders } from '@auth0/cose';
import { encode as base45 } from './base45.mjs';

const stack = process.argv[2];
const now = Number(process.argv[3]);
const cbor = new Encoder({ mapsAsObjects: false, useRecords: false, tagUint8Array: false, useTag259ForMaps: false });

const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
const jwk = await exportJWK(publicKey);
const coseKey = new Map([[1, 1], [-1, 6], [-2, Buffer.from(jwk.x, 'base64url')]]);
const kid = crypto.createHash('sha256').update(cbor.encode(coseKey)).digest().subarray(0, 8);

const person = new Map([
	[1, 'T-63PG0-0012G-GNNB9-SMVWN'], [3, 'zho'], [4, '林𠮷明'], [8, '19791231'], [9, 1], [13, 'CHN'],
	[19, 'LIN CHI-MING'], [20, 'eng'], [23, 'CHN'], [75, 3], [76, '0****567'], [77, 3],
]);
const claims = (changes = []) => new Map([
	[1, 'https://other.invalid'], [4, now + 86400], [5, now], [6, now], [7, Buffer.from('18768000008a10ad569cd37c', 'hex')], [169, person],
	[65535, new Map([['status_list', new Map([['idx', 7], ['uri', 'https://other.invalid/status/0']])]])],
	...changes,
]);

const permits = [];
const add = (verdict, name, message) =>
	permits.push({ name, verdict, text: base45(zlib.deflateSync(message, { level: 9 })) });

if (stack === 'auth0') {
	const sign = async (payload, protectedHeaders, unprotected) => {
		const sign1 = await Sign1.sign(protectedHeaders, unprotected, payload, privateKey);
		return sign1.encode();
	};
	const right = () => ProtectedHeaders.from([[Headers.Algorithm, -8], [Headers.KeyID, kid]]);

	add('valid', 'as this stack writes it', await sign(cbor.encode(claims()), right()));
	add('valid', 'with a claim of its own', await sign(cbor.encode(claims([[2, 'somebody']])), right()));
	add('expired', 'ended', await sign(cbor.encode(claims([[4, now]])), right()));
	add('malformed', 'kid unprotected, as its examples have it', await sign(cbor.encode(claims()),
		ProtectedHeaders.from([[Headers.Algorithm, -8]]), UnprotectedHeaders.from([[Headers.KeyID, kid]])));
	add('malformed', 'with a content type', await sign(cbor.encode(claims()),
		ProtectedHeaders.from([[Headers.Algorithm, -8], [Headers.KeyID, kid], [Headers.ContentType, 'application/cwt']])));
} else {
	const key = crypto.createPrivateKey({ format: 'jwk', key: await exportJWK(privateKey) });
	const sign = (payload, wrap = (parts) => cbor.encode(new Tag(parts, 18))) => {
		const header = cbor.encode(new Map([[1, -8], [4, kid]]));
		const tbs = cbor.encode(['Signature1', header, Buffer.alloc(0), payload]);
		return wrap([header, new Map(), payload, crypto.sign(null, tbs, key)]);
	};

	add('valid', 'as this stack writes it', sign(cbor.encode(claims())));
	add('valid', 'tag 61 around it', sign(cbor.encode(claims()), (parts) => cbor.encode(new Tag(new Tag(parts, 18), 61))));
	add('expired', 'ended', sign(cbor.encode(claims([[4, now]]))));
	add('malformed', 'no tag', sign(cbor.encode(claims()), (parts) => cbor.encode(parts)));
	add('malformed', 'dates as Date objects: tag 1', sign(cbor.encode(claims([[4, new Date((now + 86400) * 1000)]]))));
	add('malformed', 'objects: keys are text, heads not the shortest', sign(new Encoder().encode(Object.fromEntries(claims()))));
	add('malformed', 'exp as a BigInt: 8 bytes', sign(cbor.encode(claims([[4, BigInt(now + 86400)]]))));
	add('malformed', 'exp as a float', sign(cbor.encode(claims([[4, now + 86400.5]]))));
	add('malformed', 'undefined', sign(cbor.encode(claims([[8, undefined]]))));
}

process.stdout.write(JSON.stringify({ jwks: { permit: { keys: [jwk] } }, permits }));
