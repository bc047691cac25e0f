"""Make with stacks nobody here wrote what epermit must take, and what it must refuse.

    make.py nacl|cryptography NOW

NOW in seconds since 1970.  Prints JSON: the public keys (one for each usage), permits with the verdict each
must get, linkage results, attestations and status lists.  Keys are new each time.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import zlib

import cbor2

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
L = 2**252 + 27742317777372353535851937790883648493
URI = "https://other.invalid/status/"


def b45encode(data):
    text = ""
    for i in range(0, len(data), 2):
        chunk = data[i : i + 2]
        n = int.from_bytes(chunk, "big")
        for _ in range(len(chunk) + 1):
            n, digit = divmod(n, 45)
            text += ALPHABET[digit]
    return text


class NaclKey:
    def __init__(self):
        import nacl.signing

        self.key = nacl.signing.SigningKey.generate()
        self.x = bytes(self.key.verify_key)

    def sign(self, message):
        return self.key.sign(message).signature


class CryptographyKey:
    def __init__(self):
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self.key = Ed25519PrivateKey.generate()
        self.x = self.key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )

    def sign(self, message):
        return self.key.sign(message)


Key = {"nacl": NaclKey, "cryptography": CryptographyKey}[sys.argv[1]]
now = int(sys.argv[2])


def thumbprint(x):
    return hashlib.sha256(cbor2.dumps({1: 1, -1: 6, -2: x}, canonical=True)).digest()[:8]


def jwk(key):
    x = base64.urlsafe_b64encode(key.x).decode().rstrip("=")
    return {"kty": "OKP", "crv": "Ed25519", "x": x}


usages = ["permit", "linkage", "attestation", "status"]
keys = {usage: Key() for usage in usages}
for key in keys.values():
    key.kid = thumbprint(key.x)
second = Key()
second.kid = thumbprint(second.x)
stranger = Key()
stranger.kid = thumbprint(stranger.x)


# ---------------------------------------------------------------- messages


class Raw(bytes):
    """Bytes that are CBOR already."""


def encode(value):
    """CBOR as cbor2 writes it, but for what is Raw; maps may be lists of pairs, for duplicates."""
    if isinstance(value, Raw):
        return bytes(value)
    if isinstance(value, dict):
        value = Pairs(value.items())
    if isinstance(value, Pairs):
        return head(5, len(value)) + b"".join(encode(k) + encode(v) for k, v in value)
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(encode, value))
    if isinstance(value, cbor2.CBORTag):
        return head(6, value.tag) + encode(value.value)
    return cbor2.dumps(value)


class Pairs(list):
    pass


def head(major, n):
    encoded = cbor2.dumps(n)
    return bytes([encoded[0] | major << 5]) + encoded[1:]


def long_head(major, n, width):
    """A head of so many bytes, needed or not."""
    return Raw(bytes([major << 5 | 24 + (1, 2, 4, 8).index(width)]) + n.to_bytes(width, "big"))


def sign1(
    payload,
    key=keys["permit"],
    protected=None,
    unprotected=None,
    aad=b"",
    context="Signature1",
    tags=(18,),
    forge=lambda signature: signature,
    shape=lambda parts: parts,
):
    if not isinstance(payload, (Raw, bytes)):
        payload = encode(payload)
    if protected is None:
        protected = {1: -8, 4: key.kid}
    protected = encode(protected)
    signature = forge(key.sign(cbor2.dumps([context, protected, aad, bytes(payload)])))
    message = shape([protected, unprotected or {}, bytes(payload), signature])
    for tag in reversed(tags):
        message = cbor2.CBORTag(tag, message)
    return encode(message)


def text(message, level=9):
    return b45encode(zlib.compress(message, level))


# ---------------------------------------------------------------- permits


def person(**changes):
    claims = {
        1: "T-63PG0-0012G-GNNB9-SMVWN",  # as claim 7 has it
        3: "zho",
        4: "陳大文",
        8: "19850601",
        9: 1,
        13: "CHN",
        19: "CHAN TAI MAN",
        20: "eng",
        23: "CHN",
        75: 1,
        76: "H1****678",
        77: 3,
    }
    return change(claims, changes)


def permit(**changes):
    claims = {
        1: "https://other.invalid",
        4: now + 86400,
        5: now,
        6: now,
        7: bytes.fromhex("18768000008a10ad569cd37c"),
        169: person(),
        65535: {"status_list": {"idx": 7, "uri": URI + "0"}},
    }
    return change(claims, changes)


def change(claims, changes):
    """_4=x sets claim 4, n65537=x claim -65537; None takes it out."""
    for name, value in changes.items():
        key = -int(name[1:]) if name[0] == "n" else int(name[1:])
        if value is None:
            del claims[key]
        else:
            claims[key] = value
    return claims


permits = []


def add(verdict, name, presented):
    permits.append({"name": name, "verdict": verdict, "text": presented})


def say(verdict, name, *args, **options):
    add(verdict, name, text(sign1(*args, **options)))


def mutated(data, at, bit):
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def flip(at, bit=0):
    return lambda data: mutated(data, at, bit)


good = sign1(permit())
wire = zlib.compress(good, 9)


def inflates_to_good(data):
    """A bit that only tells how hard the compressor tried changes no message."""
    try:
        stream = zlib.decompressobj()
        return stream.decompress(data) == good and stream.eof and not stream.unused_data
    except zlib.error:
        return False


# Accepted: what RFC 8949 and RFC 9052 leave to the writer, and our limits allow.
add("valid", "as this stack writes it", text(good))
for level in range(10):
    add("valid", f"zlib level {level}", text(good, level))
strategy = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_HUFFMAN_ONLY)
add("valid", "zlib, Huffman only", b45encode(strategy.compress(good) + strategy.flush()))
small = zlib.compressobj(9, zlib.DEFLATED, 9)
add("valid", "zlib, 512 byte window", b45encode(small.compress(good) + small.flush()))
flushed = zlib.compressobj()
add("valid", "zlib, flushed on the way", b45encode(
    flushed.compress(good[:50]) + flushed.flush(zlib.Z_FULL_FLUSH) + flushed.compress(good[50:]) + flushed.flush()))
say("valid", "tag 61 around it", permit(), tags=(61, 18))
say("valid", "alg -19", permit(), protected={1: -19, 4: keys["permit"].kid})
say("valid", "unsorted claims", Raw(encode(Pairs(reversed(permit().items())))))
say("valid", "unsorted person", permit(_169=Pairs(reversed(person().items()))))
say("valid", "kid before alg", permit(), protected=Pairs([(4, keys["permit"].kid), (1, -8)]))
say("valid", "cbor2's canonical order", Raw(cbor2.dumps(permit(), canonical=True)))
say("valid", "claims nobody here knows", permit(_8={1: 2}, _50000="x", n70000=[1, [2, {"a": b"b"}]]))
say("valid", "text keys nobody here knows", dict(permit(), hello=[1, 2]))
say("valid", "a portrait", permit(_169=person(_78=bytes(16))))
say("valid", "purposes of 64 bits", permit(_169=person(_77=2**64 - 1)))
say("valid", "another key of the issuer", permit(), key=second)
say("valid", "a rare character", permit(_169=person(_4="𠮷𤧬·阿卜杜拉")))
say("valid", "begins in 300 s", permit(_5=now + 300))
add("valid", "behind a link", "https://other.invalid/v?x=1#" + text(good))

# What is genuine, but not good now or for this.
say("expired", "ends now", permit(_4=now))
say("expired", "ended long ago", permit(_4=0))
say("not_yet_valid", "begins in 301 s", permit(_5=now + 301))
say("not_yet_valid", "begins in 9999", permit(_5=253402300799, _4=253402300799))
say("out_of_scope", "no purpose", permit(_169=person(_77=0)))
say("out_of_scope", "another purpose", permit(_169=person(_77=2)))

# Keys.
say("unknown_key", "a stranger's key", permit(), key=stranger)
for usage in usages[1:]:
    say("unknown_key", f"the {usage} key", permit(), key=keys[usage])
say("bad_signature", "kid of another key", permit(), key=second, protected={1: -8, 4: keys["permit"].kid})
say("bad_signature", "kid of a key, signed by a stranger", permit(), key=stranger,
    protected={1: -8, 4: keys["permit"].kid})
say("unknown_key", "kid of zeros", permit(), protected={1: -8, 4: bytes(8)})
for size in (0, 7, 9, 32):
    say("malformed", f"kid of {size} bytes", permit(), protected={1: -8, 4: bytes(size)})
say("malformed", "kid in text", permit(), protected={1: -8, 4: "12345678"})
say("malformed", "no kid", permit(), protected={1: -8})
say("malformed", "kid unprotected", permit(), protected={1: -8}, unprotected={4: keys["permit"].kid})
say("malformed", "kid twice", permit(), protected=Pairs([(1, -8), (4, keys["permit"].kid), (4, second.kid)]))
say("malformed", "kid here and there", permit(), unprotected={4: second.kid})

# Algorithms.
kid = keys["permit"].kid
for alg in (0, -7, -37, -257, -53, 5, 8, "EdDSA", "none", b"\x27", None):
    say("malformed", f"alg {alg!r}", permit(), protected={1: alg, 4: kid})
say("malformed", "no alg", permit(), protected={4: kid})
say("malformed", "alg unprotected", permit(), protected={4: kid}, unprotected={1: -8})
say("malformed", "alg unprotected too", permit(), unprotected={1: -8})
say("malformed", "alg twice", permit(), protected=Pairs([(1, -8), (1, -19), (4, kid)]))
say("malformed", "crit", permit(), protected={1: -8, 2: [4], 4: kid})
say("malformed", "a header nobody here knows", permit(), protected={1: -8, 4: kid, 99: 0})
say("malformed", "an empty protected header", permit(), protected=Raw(b""))
say("malformed", "something unprotected", permit(), unprotected={99: 0})
for typ in ("application/vnd.epermit.linkage+cwt", "application/vnd.epermit.attestation+cwt",
            "application/statuslist+cwt", "application/cwt", 61, b"cwt"):
    say("malformed", f"typ {typ!r}", permit(), protected={1: -8, 4: kid, 16: typ})

# Signatures.
for at in range(64):
    say("bad_signature", f"signature, bit {at * 8 + at % 8}", permit(), forge=flip(at, at % 8))
say("bad_signature", "S + L", permit(),
    forge=lambda s: s[:32] + (int.from_bytes(s[32:], "little") + L).to_bytes(32, "little"))
say("bad_signature", "S + 8 L", permit(),
    forge=lambda s: s[:32] + (int.from_bytes(s[32:], "little") + 8 * L).to_bytes(32, "little"))
say("bad_signature", "all zero", permit(), forge=lambda s: bytes(64))
say("bad_signature", "R neutral, S zero", permit(), forge=lambda s: bytes([1]) + bytes(63))
say("bad_signature", "R of small order", permit(), forge=lambda s: bytes(32) + s[32:])
say("bad_signature", "R not canonical", permit(), forge=lambda s: b"\xff" * 32 + s[32:])
say("bad_signature", "R and S exchanged", permit(), forge=lambda s: s[32:] + s[:32])
for size in (0, 63, 65, 128):
    say("malformed", f"signature of {size} bytes", permit(), forge=lambda s: (s * 2)[:size])
say("bad_signature", "external data", permit(), aad=b"x")
for context in ("Signature", "CounterSignature", "MAC0", "signature1"):
    say("bad_signature", f"signed as {context}", permit(), context=context)
add("bad_signature", "payload of another permit", text(sign1(
    permit(), shape=lambda parts: [*parts[:2], encode(permit(_4=now + 99999)), parts[3]])))
add("bad_signature", "header of another permit", text(sign1(
    permit(), shape=lambda parts: [encode({1: -19, 4: kid}), *parts[1:]])))

# Every byte of the message changed: whatever it is then, it is no permit.
for at in range(len(good)):
    add("refused", f"message, bit {at * 8 + at % 8}", text(mutated(good, at, at % 8)))
for at in range(len(wire)):
    add("valid" if inflates_to_good(mutated(wire, at, at % 8)) else "malformed",
        f"compressed, bit {at * 8 + at % 8}", b45encode(mutated(wire, at, at % 8)))
for size in range(32, len(good)):  # shorter ones look like a printed number, mistyped
    add("malformed", f"message cut at {size}", text(good[:size]))

# Shapes.
add("malformed", "no tag", text(sign1(permit(), tags=())))
for tags in ((17,), (16,), (98,), (18, 18), (61, 61, 18), (18, 61), (61,), (55799, 18)):
    say("malformed", f"tags {tags}", permit(), tags=tags)
for name, shape in {
    "three parts": lambda p: p[:3],
    "five parts": lambda p: [*p, b""],
    "no payload": lambda p: [p[0], p[1], None, p[3]],
    "payload not wrapped": lambda p: [p[0], p[1], permit(), p[3]],
    "header not wrapped": lambda p: [{1: -8, 4: kid}, *p[1:]],
    "a map": lambda p: dict(enumerate(p)),
    "unprotected wrapped": lambda p: [p[0], b"\xa0", *p[2:]],
}.items():
    say("malformed", name, permit(), shape=shape)
say("malformed", "payload wrapped twice", encode(encode(permit())))
say("malformed", "payload tagged", encode(cbor2.CBORTag(61, permit())))
say("malformed", "payload an array", encode([permit()]))
say("malformed", "payload empty", b"")
say("malformed", "payload an empty map", {})
add("malformed", "a byte after the message", text(good + b"\0"))
add("malformed", "the message twice", text(good + good))
say("malformed", "a byte after the claims", encode(permit()) + b"\0")
say("malformed", "a byte after the header", permit(), protected=Raw(encode({1: -8, 4: kid}) + b"\0"))

# CBOR that is not deterministic, or not of the subset.
parts = list(permit().items())
body = b"".join(encode(k) + encode(v) for k, v in parts)
say("malformed", "indefinite map of claims", b"\xbf" + body + b"\xff")
say("malformed", "indefinite text", permit(_1=Raw(b"\x7f\x61a\x61b\xff")))
say("malformed", "indefinite bytes", permit(_7=Raw(b"\x5f\x46" + bytes(6) + b"\x46" + bytes(6) + b"\xff")))
say("malformed", "indefinite array", permit(_8=Raw(b"\x9f\x01\xff")))
say("malformed", "indefinite message", permit(),
    shape=lambda p: Raw(b"\x9f" + b"".join(map(encode, p)) + b"\xff"))
say("malformed", "indefinite payload", permit(), shape=lambda p: [*p[:2], Raw(b"\x5f" + encode(p[2]) + b"\xff"), p[3]])
say("malformed", "a stray break", permit(_8=Raw(b"\xff")))
for width in (1, 2, 4, 8):
    say("malformed", f"map head of {width} bytes too many", bytes(long_head(5, len(parts), width)) + body)
    say("malformed", f"key head of {width} bytes too many",
        head(5, len(parts) + 1) + body + bytes(long_head(0, 8, width)) + encode(1))
say("malformed", "exp of 8 bytes", permit(_4=long_head(0, now + 86400, 8)))
say("malformed", "payload head too long", permit(),
    shape=lambda p: [*p[:2], Raw(bytes(long_head(2, len(p[2]), 4)) + p[2]), p[3]])
for name, value in {
    "null": None, "true": True, "undefined": Raw(b"\xf7"), "simple 19": Raw(b"\xf3"), "simple 255": Raw(b"\xf8\xff"),
    "half float": Raw(b"\xf9\x3c\x00"), "float": Raw(b"\xfa\x3f\x80\x00\x00"), "double": 1.5, "reserved": Raw(b"\x1c"),
}.items():
    say("malformed", f"{name} in a claim", permit(_50000=[value]))
say("malformed", "a float as exp", permit(_4=float(now + 86400)))
for key_name, key_item in {"an array": [1], "a map": {}, "null": None, "a tag": cbor2.CBORTag(1, 1)}.items():
    say("malformed", f"{key_name} as key", Pairs([*parts, (Raw(encode(key_item)), 1)]))
say("malformed", "text that is not UTF-8", permit(_1=Raw(b"\x62\xc0\xaf")))
say("malformed", "text with half a surrogate", permit(_1=Raw(b"\x63\xed\xa0\x80")))
say("malformed", "text with NUL", permit(_169=person(_4="陳\0文")))
say("malformed", "text longer than the message", permit(_1=Raw(b"\x7b" + b"\xff" * 8)))
say("malformed", "a map longer than the message", Raw(b"\xbb" + b"\xff" * 8 + body))


def nested(depth):
    return [nested(depth - 1)] if depth else 0


say("valid", "nested as deep as allowed", permit(_50000=nested(5)))
say("malformed", "nested one deeper", permit(_50000=nested(6)))
say("malformed", "nested a thousand deep", permit(_50000=Raw(b"\x81" * 1000 + b"\0")))
say("valid", "32 claims", {**permit(), **{n: n for n in range(1000, 1025)}})
say("malformed", "33 claims", {**permit(), **{n: n for n in range(1000, 1026)}})
say("malformed", "an array of 33", permit(_50000=list(range(33))))

# Claims twice, wrong, missing or out of range.
for key_number in permit():
    say("malformed", f"claim {key_number} twice", Pairs([*parts, (key_number, permit()[key_number])]))
    say("malformed", f"claim {key_number} missing", {k: v for k, v in parts if k != key_number})
    for wrong in (-1, "x", b"x", [], {}, cbor2.CBORTag(1, 1)):
        if not (key_number == 1 and wrong == "x"):
            say("malformed", f"claim {key_number} of a wrong kind, {wrong!r}", {**permit(), key_number: wrong})
for key_number in person():
    say("malformed", f"person {key_number} twice",
        permit(_169=Pairs([*person().items(), (key_number, person()[key_number])])))
    say("malformed", f"person {key_number} missing",
        permit(_169={k: v for k, v in person().items() if k != key_number}))
    for wrong in (-1, [], b"x"):
        say("malformed", f"person {key_number} of a wrong kind, {wrong!r}", permit(_169={**person(), key_number: wrong}))
for name, value in {
    "sex 0": person(_9=0), "sex 4": person(_9=4), "region 0": person(_75=0), "region 4": person(_75=4),
    "29 February 1985": person(_8="19850229"), "a date with hyphens": person(_8="1985-06-01"),
    "month 13": person(_8="19851301"), "a date of 7 digits": person(_8="1985060"), "another language": person(_3="eng"),
    "another country": person(_23="HKG"), "nationality in lower case": person(_13="chn"), "nationality of 2": person(_13="CN"),
    "a portrait of 15 bytes": person(_78=bytes(15)), "a portrait of 32 bytes": person(_78=bytes(32)),
}.items():
    say("malformed", name, permit(_169=value))
for size in (0, 11, 13):
    say("malformed", f"cti of {size} bytes", permit(_7=bytes(size)))
say("not_yet_valid", "iat in the future", permit(_6=now + 400))
say("malformed", "cti of another number", permit(_7=bytes(12)))
say("malformed", "cti of a linkage result", permit(_7=b"\x98" + permit()[7][1:]))
say("malformed", "exp after 9999", permit(_4=253402300800))
say("malformed", "exp of 64 bits", permit(_4=2**64 - 1))
say("malformed", "a linkage claim", permit(n65537={}))
say("malformed", "status without idx", permit(_65535={"status_list": {"uri": "u"}}))
say("malformed", "status with idx -1", permit(_65535={"status_list": {"uri": "u", "idx": -1}}))
say("malformed", "status with idx of 33 bits", permit(_65535={"status_list": {"uri": "u", "idx": 2**32}}))
say("malformed", "status without uri", permit(_65535={"status_list": {"idx": 1}}))
say("malformed", "status of a wrong shape", permit(_65535=[1]))

# zlib.
add("malformed", "not compressed", b45encode(good))
add("malformed", "raw deflate", b45encode(wire[2:-4]))
gzip = zlib.compressobj(9, zlib.DEFLATED, 31)
add("malformed", "gzip", b45encode(gzip.compress(good) + gzip.flush()))
preset = zlib.compressobj(9, zlib.DEFLATED, 15, 8, zlib.Z_DEFAULT_STRATEGY, good)
add("malformed", "a preset dictionary", b45encode(preset.compress(good) + preset.flush()))
add("malformed", "a byte after the stream", b45encode(wire + b"\0"))
add("malformed", "two streams", b45encode(wire + zlib.compress(b"")))
add("malformed", "compressed twice", b45encode(zlib.compress(wire)))
add("malformed", "no checksum", b45encode(wire[:-4]))
add("malformed", "a wrong checksum", b45encode(wire[:-4] + bytes(4)))
fill = 8192 - len(sign1(permit(_50000=bytes(6000)))) + 6000
add("malformed", "8,193 bytes", text(sign1(permit(_50000=bytes(fill + 1)))))
add("valid", "8,192 bytes", text(sign1(permit(_50000=bytes(fill)))))
add("malformed", "a bomb of 1 MB", text(sign1(permit(_50000=bytes(1000000)))))

# base45: one text for one message.
genuine = text(good)
add("malformed", "lower case", genuine.lower())
add("malformed", "a space in front", " " + genuine)
add("malformed", "a space behind", genuine + " ")
add("malformed", "a line feed behind", genuine + "\n")
add("malformed", "a digit more", genuine + "0")
add("malformed", "three digits more", genuine + "000")
for at, group in ((at, genuine[at : at + 3]) for at in range(0, len(genuine) // 3 * 3, 3)):
    n = sum(ALPHABET.index(c) * 45**p for p, c in enumerate(group)) + 65536
    if n < 45**3:  # the same bytes, if their carry is lost
        same = "".join(ALPHABET[n // 45**p % 45] for p in range(3))
        add("malformed", f"the group at {at} and 65536", genuine[:at] + same + genuine[at + 3 :])
even = next(t for t in (text(sign1(permit(_50000=os.urandom(n)))) for n in range(99)) if len(t) % 3 == 2)
add("valid", "a last group of two", even)
n = sum(ALPHABET.index(c) * 45**p for p, c in enumerate(even[-2:])) + 256
add("malformed", "the last group and 256", even[:-2] + ALPHABET[n % 45] + ALPHABET[n // 45])
add("malformed", "full-width digits", genuine.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789"}))
add("malformed", "an underscore", genuine[:9] + "_" + genuine[10:])
add("malformed", "a prefix of HC1", "HC1:" + genuine)
add("malformed", "base64", base64.b64encode(wire).decode())

# ---------------------------------------------------------------- linkage results

documents = ["H12345678", "81000019850601001X", "19850601"]


def linkage(**changes):
    salt = os.urandom(16)
    commitment = hmac.new(salt, "|".join(documents).encode(), hashlib.sha256).digest()[:16]
    claims = permit(_169=None, _7=b"\x80" + bytes(11))
    claims[-65537] = {2: 1, 3: 1, 4: "H1****678", 5: "81**************1X", 6: salt, 7: commitment}
    return change(claims, changes)


def linkage_text(claims, key=keys["linkage"], typ="application/vnd.epermit.linkage+cwt"):
    header = {1: -8, 4: key.kid} if typ is None else {1: -8, 4: key.kid, 16: typ}
    return text(sign1(claims, key, header))


linkages = [
    {"name": name, "verdict": verdict, "text": presented}
    for name, verdict, presented in (
        ("as this stack writes it", "valid", linkage_text(linkage())),
        ("for somebody", "valid", linkage_text(linkage(_3="a bank"))),
        ("expired", "expired", linkage_text(linkage(_4=now))),
        ("another commitment", "not_linked", linkage_text(linkage(n65537={**linkage()[-65537], 7: bytes(16)}))),
        ("the permit key", "unknown_key", linkage_text(linkage(), keys["permit"])),
        ("no typ", "malformed", linkage_text(linkage(), typ=None)),
        ("another typ", "malformed", linkage_text(linkage(), typ="application/statuslist+cwt")),
        ("a person", "malformed", linkage_text(linkage(_169=person()))),
        ("a permit", "malformed", genuine),
    )
]

# ---------------------------------------------------------------- attestations


def attestation(**changes):
    claims = change({1: "https://provider.invalid", 2: "H12345678", 4: now + 600, 6: now, 7: os.urandom(16)}, changes)
    key = keys["attestation"]
    return text(sign1(claims, key, {1: -8, 4: key.kid, 16: "application/vnd.epermit.attestation+cwt"}))


attestations = [
    {"name": name, "code": code, "text": presented}
    for name, code, presented in (
        ("of somebody else", "attestation.other_document", attestation(_2="H22222222")),
        ("for longer than ten minutes", "attestation.invalid", attestation(_4=now + 601)),
        ("a permit", "attestation.invalid", genuine),
        ("as this stack writes it", "none", attestation()),
    )
]

# ---------------------------------------------------------------- status lists


def status_list(n, bits, states, **changes):
    entries = bytearray(1024 * bits // 8)
    for idx, state in states.items():
        entries[idx * bits // 8] |= state << idx * bits % 8
    claims = {
        2: URI + str(n),
        4: now + 3600,
        6: now,
        65533: {"bits": bits, "lst": zlib.compress(bytes(entries), 9)},
        65534: 600,
    }
    key = keys["status"]
    return sign1(change(claims, changes), key, {1: -8, 4: key.kid, 16: "application/statuslist+cwt"})


lists = []
for n, bits in enumerate((1, 2, 4, 8), 1):
    states = {3: 1, 4: 2, 5: 3, 7: 0, 1023: 1} if bits > 1 else {3: 1, 7: 0, 1023: 1}
    verdicts = {0: "valid", 1: "revoked", 2: "suspended", 3: "undetermined"}
    lists.append({
        "bits": bits,
        "hex": status_list(n, bits, states).hex(),
        "permits": [
            {"idx": idx, "verdict": verdicts[state],
             "text": text(sign1(permit(_65535={"status_list": {"idx": idx, "uri": URI + str(n)}})))}
            for idx, state in states.items()
        ] + [
            {"idx": 1024, "verdict": "undetermined",
             "text": text(sign1(permit(_65535={"status_list": {"idx": 1024, "uri": URI + str(n)}})))}
        ],
    })

json.dump(
    {
        "jwks": {usage: {"keys": [jwk(keys[usage])] + ([jwk(second)] if usage == "permit" else [])} for usage in usages},
        "permits": permits,
        "linkages": linkages,
        "documents": documents,
        "attestations": attestations,
        "lists": lists,
    },
    sys.stdout,
)
