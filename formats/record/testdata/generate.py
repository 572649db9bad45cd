#!/usr/bin/env python3
"""Generates vectors for the crate `record` without using it: Python's standard library, RFC 8032 §6's Ed25519 and RFC 8439's cipher.

    python3 formats/record/testdata/generate.py > formats/record/testdata/vectors.json
"""
import hashlib
import hmac
import json
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "testdata"))
from primitives import cbor, ed25519, public  # noqa: E402


# --- ChaCha20-Poly1305 (RFC 8439) and HKDF-SHA256 (RFC 5869) -----------------------------------------------------------------
def chacha_block(key, counter, nonce):
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + struct.pack("<I", counter) + nonce))
    w = state[:]
    for _ in range(10):
        for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                           (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                w[x] = (w[x] + w[y]) & 0xFFFFFFFF
                t = w[z] ^ w[x]
                w[z] = (t << n | t >> (32 - n)) & 0xFFFFFFFF
    return struct.pack("<16I", *((x + y) & 0xFFFFFFFF for x, y in zip(w, state)))


def seal(key, nonce, plaintext, aad):
    stream = b"".join(chacha_block(key, 1 + i, nonce) for i in range((len(plaintext) + 63) // 64))
    ciphertext = bytes(x ^ y for x, y in zip(plaintext, stream))
    one_time = chacha_block(key, 0, nonce)
    r = int.from_bytes(one_time[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    pad = lambda b: b + bytes(-len(b) % 16)
    data = pad(aad) + pad(ciphertext) + struct.pack("<QQ", len(aad), len(ciphertext))
    acc = 0
    for i in range(0, len(data), 16):
        acc = (acc + int.from_bytes(data[i:i + 16] + b"\x01", "little")) * r % (2**130 - 5)
    tag = (acc + int.from_bytes(one_time[16:32], "little")) & (1 << 128) - 1
    return ciphertext + tag.to_bytes(16, "little")


def hkdf(salt, ikm, info):
    prk = hmac.new(salt or bytes(32), ikm, hashlib.sha256).digest()
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()


# --- entries (docs/entry.cddl) --------------------------------------------------------------------------------------------
SEED = bytes([1]) * 32
LABEL, COMMITMENT, DIGEST, VRF, ROOT0, ROOT1 = (bytes([n]) * 32 for n in (0x77, 0x88, 0xAA, 0xCC, 0xD0, 0xD1))
u32 = lambda n: struct.pack(">I", n)
u64 = lambda n: struct.pack(">Q", n)
NONE = b"\xff" * 8


def entry(kind, fields, sequence=7, previous=bytes([0x55]) * 32):
    payload = cbor({1: b"\x01", 2: bytes([kind]), 3: u64(0x65000000), 4: u64(sequence), 5: previous, **fields})
    protected = cbor({1: -8, 4: hashlib.sha256(public(SEED)).digest()})
    signature = ed25519(SEED, cbor(["Signature1", protected, b"", payload]))
    leaf = b"\xd2" + cbor([protected, {}, payload, signature])
    return {"leaf": leaf.hex(), "leaf_hash": hashlib.sha256(b"\0" + leaf).hexdigest(), "size": len(leaf)}


def labelled(kind, refers):
    return entry(kind, {6: u32(3), 7: LABEL, 8: COMMITMENT, 9: refers})


def period(event, value, start):
    return entry(3, {6: u32(3), 11: bytes([event]), 12: value, 13: u64(start)})


entries = {
    "genesis": entry(0, {10: DIGEST}, 0, bytes(32)),
    "directory": entry(1, {10: DIGEST}),
    "registry": entry(2, {10: DIGEST}),
    "period-begin": period(0, VRF, 0x65100000),
    "period-final": period(1, ROOT1, 0),
    "period-destroyed": period(2, bytes(32), 0),
    "map": entry(4, {14: [[u32(0), ROOT0], [u32(3), ROOT1]], 15: u64(1) + u64(2)}),
    "intent": labelled(5, NONE),
    "outcome": labelled(6, u64(41)),
    "denial": entry(7, {8: COMMITMENT}),
    "preview": labelled(8, u64(41)),
    "void": labelled(9, NONE),
    "lost": entry(10, {9: u64(41)}),
    "inspection": labelled(11, NONE),
    "hold": entry(12, {9: u64(41)}),
    "hold-release": entry(13, {9: u64(41)}),
    "rectification": entry(14, {9: u64(41)}),
    "erasure": entry(15, {10: DIGEST}),
}

# --- a sealed record (the void of a label) --------------------------------------------------------------------------------
DAY_KEY = bytes(range(32))
record_header = b"\x01" + b"\x01" + u32(21509) + b"\x00"
record_key = hkdf(LABEL, DAY_KEY, b"einsicht/record/v1")
contents = (
    ("shared", cbor({"void": {"consumer": "stadt", "s1_digest": DIGEST}}), 4096),
    ("citizen", cbor({"internal_reason": "zu spät"}), 256),
    ("supervision", b"sealed once more", 512),
)
sealed, part_keys = record_header, {}
for number, (name, content, size) in enumerate(contents):
    part_key = part_keys[name] = hkdf(None, record_key, name.encode())
    padded = (content + b"\x80").ljust(size, b"\0")
    nonce = bytes([number]) * 12
    ciphertext = seal(part_key, nonce, padded, LABEL + record_header)
    sealed += u32(len(ciphertext)) + hkdf(None, part_key, b"commit") + nonce + ciphertext

print(json.dumps({
    "seed": SEED.hex(),
    "public_key": public(SEED).hex(),
    "entries": entries,
    "sealed": {
        "day_key": DAY_KEY.hex(),
        "denial_key": hkdf(None, DAY_KEY, b"denial").hex(),
        "label": LABEL.hex(),
        "record_key": record_key.hex(),
        **{f"{name}_key": key.hex() for name, key in part_keys.items()},
        "bytes": sealed.hex(),
        "commitment": hashlib.sha256(sealed).hexdigest(),
    },
    "period_label_begin_3": hashlib.sha256(b"einsicht/period/v1" + u32(3) + b"\x00").hexdigest(),
}, indent=1))
