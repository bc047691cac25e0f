"""Read what epermit signed with stacks nobody here wrote.

    read.py nacl|cryptography <bundle.json

The bundle holds tokens, status lists and key sets as the extension made them; the answer, JSON too,
is what this reader found in each after its signature held, or why it did not.  Keys come from
the COSE key set for nacl, from the JSON Web Key Set for cryptography.
"""

import base64
import hashlib
import hmac
import json
import sys
import zlib

import cbor2

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def b45decode(text):
    out = bytearray()
    for i in range(0, len(text), 3):
        digits = [ALPHABET.index(c) for c in text[i : i + 3]]
        n = sum(d * 45**p for p, d in enumerate(digits))
        out += n.to_bytes(len(digits) - 1, "big")
    return bytes(out)


def thumbprint(x):
    """kid: RFC 9679 over {1: 1, -1: 6, -2: x}."""
    return hashlib.sha256(cbor2.dumps({1: 1, -1: 6, -2: x}, canonical=True)).digest()[:8]


def keys_by_kid(bundle, stack):
    keys = {}
    if stack == "nacl":
        import nacl.signing

        for key in cbor2.loads(bytes.fromhex(bundle["cose_keyset"])):
            assert (key[1], key[3], key[4], key[-1]) == (1, -8, [2], 6), key
            assert key[2] == thumbprint(key[-2])
            keys[key[2]] = nacl.signing.VerifyKey(key[-2])
    else:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        for key in bundle["jwks"]["keys"]:
            kid, x = (base64.urlsafe_b64decode(key[m] + "=="[: -len(key[m]) % 4]) for m in ("kid", "x"))
            assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")
            assert kid == thumbprint(x)
            keys[kid] = Ed25519PublicKey.from_public_bytes(x)
    return keys


def verify(message, keys, stack):
    """A COSE_Sign1 message (RFC 9052): its protected header and claims."""
    tagged = cbor2.loads(message)
    assert tagged.tag == 18
    protected, unprotected, payload, signature = tagged.value
    header = cbor2.loads(protected)
    assert header[1] == -8 and unprotected == {}
    tbs = cbor2.dumps(["Signature1", protected, b"", payload])
    if stack == "nacl":
        keys[header[4]].verify(tbs, signature)
    else:
        keys[header[4]].verify(signature, tbs)

    # Deterministic encoding (RFC 8949 section 4.2.1): encoding it again changes nothing.
    for item in (protected, payload):
        assert cbor2.dumps(cbor2.loads(item), canonical=True) == item or ascending(item), item.hex()
    return header, cbor2.loads(payload)


def ascending(item):
    """cbor2's canonical order is RFC 7049's, shorter keys first: compare by encoded bytes instead."""

    def walk(value):
        if isinstance(value, dict):
            encoded = [cbor2.dumps(k) for k in value]
            return encoded == sorted(encoded) and all(walk(v) for v in value.values())
        return not isinstance(value, list) or all(walk(v) for v in value)

    value = cbor2.loads(item)
    return walk(value) and cbor2.dumps(value) == item


def common(header, claims):
    status = claims[65535]["status_list"]
    return {
        "kid": header[4].hex(),
        "typ": header.get(16),
        "iss": claims[1],
        "exp": claims[4],
        "nbf": claims[5],
        "iat": claims[6],
        "cti": claims[7].hex(),
        "idx": status["idx"],
        "uri": status["uri"],
    }


def read_permit(header, claims):
    person = claims[169]
    assert (person[3], person[20], person[23]) == ("zho", "eng", "CHN")
    return dict(
        common(header, claims),
        number=person[1],
        name_zh=person[4],
        birth_date=person[8],
        sex=person[9],
        nationality=person[13],
        name_romanised=person[19],
        region=person[75],
        document_no=person[76],
        purposes=person[77],
        portrait=person[78].hex() if 78 in person else None,
    )


def read_linkage(header, claims, documents):
    linkage = claims[-65537]
    secret = "|".join(documents).encode()
    return dict(
        common(header, claims),
        travel_kind=linkage[2],
        residence_kind=linkage[3],
        travel_no=linkage[4],
        residence_no=linkage[5],
        # Whoever holds both numbers and the birth date can check it.
        linked=hmac.new(linkage[6], secret, hashlib.sha256).digest()[:16] == linkage[7],
    )


def read_list(header, claims):
    bits = claims[65533]["bits"]
    entries = zlib.decompress(claims[65533]["lst"])
    said = {}
    for i, byte in enumerate(entries):
        for slot in range(8 // bits):
            status = byte >> slot * bits & (1 << bits) - 1
            if status:
                said[str(i * 8 // bits + slot)] = status
    return {
        "kid": header[4].hex(),
        "typ": header[16],
        "sub": claims[2],
        "exp": claims[4],
        "iat": claims[6],
        "ttl": claims[65534],
        "entries": len(entries) * 8 // bits,
        "said": said,
    }


def main():
    stack = sys.argv[1]
    bundle = json.load(sys.stdin)
    keys = keys_by_kid(bundle, stack)
    found = {}
    for name, item in bundle["items"].items():
        try:
            if "hex" in item:
                message = bytes.fromhex(item["hex"])
            else:
                message = zlib.decompress(b45decode(item["text"]))
            header, claims = verify(message, keys, stack)
            if item["kind"] == "permit":
                found[name] = read_permit(header, claims)
            elif item["kind"] == "linkage":
                found[name] = read_linkage(header, claims, item["documents"])
            else:
                found[name] = read_list(header, claims)
        except Exception as e:
            found[name] = {"error": f"{type(e).__name__}: {e}"}
    json.dump(found, sys.stdout)


main()
