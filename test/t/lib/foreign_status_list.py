# Status lists as somebody else makes them: cbor2, zlib and PyNaCl, keys in no particular order.
#
#   foreign_status_list.py key SEED              its public key as a JSON Web Key Set
#   foreign_status_list.py list SEED JSON        a signed list, hexadecimal
#
# SEED is 32 bytes, hexadecimal.  JSON: sub, iat, exp; if wished bits (2), size (131072 entries), entries
# ({index: status}), typ, sorted, tagged (61(18(...))), lst (hexadecimal, in place of what the entries give),
# extra (a claim nobody here knows), ttl.
import base64
import hashlib
import json
import sys
import zlib

import cbor2
import nacl.signing


def thumbprint(x):
    return hashlib.sha256(cbor2.dumps({1: 1, -1: 6, -2: x}, canonical=True)).digest()


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def lst(wish):
    bits = wish.get("bits", 2)
    octets = bytearray(wish.get("size", 131072) * bits // 8)
    for index, status in wish.get("entries", {}).items():
        bit = int(index) * bits
        octets[bit // 8] |= status << bit % 8
    return zlib.compress(bytes(octets), wish.get("level", 9))


def signed_list(key, wish):
    canonical = wish.get("sorted", False)
    kid = thumbprint(bytes(key.verify_key))[:8]
    header = {16: wish.get("typ", "application/statuslist+cwt"), 4: kid, 1: -8}
    claims = {65534: wish.get("ttl", 3600)}
    claims[65533] = {
        "bits": wish.get("bits", 2),
        "lst": bytes.fromhex(wish["lst"]) if "lst" in wish else lst(wish),
        "aggregation_uri": "https://foreign.invalid/all",
    }
    if "extra" in wish:
        claims[-70000] = wish["extra"]
    claims[6] = wish["iat"]
    claims[4] = wish["exp"]
    if "sub" in wish:
        claims[2] = wish["sub"]
    protected = cbor2.dumps(header, canonical=canonical)
    payload = cbor2.dumps(claims, canonical=canonical)
    tbs = cbor2.dumps(["Signature1", protected, b"", payload])
    message = cbor2.CBORTag(18, [protected, {}, payload, key.sign(tbs).signature])
    return cbor2.dumps(cbor2.CBORTag(61, message) if wish.get("tagged") else message)


key = nacl.signing.SigningKey(bytes.fromhex(sys.argv[2]))
if sys.argv[1] == "key":
    x = bytes(key.verify_key)
    print(json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": base64url(thumbprint(x)[:8]), "x": base64url(x)}]}))
else:
    print(signed_list(key, json.loads(sys.argv[3])).hex())
