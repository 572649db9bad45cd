#!/usr/bin/env python3
"""Generates vectors for the crate `record` without using it: Python's standard library, RFC 8032 §6's Ed25519 and RFC 8439's cipher.

    python3 formats/record/testdata/generate.py > formats/record/testdata/vectors.json
"""
import hashlib
import hmac
import json
import struct


# --- deterministic CBOR (RFC 8949 §4.2.1) --------------------------------------------------------------------------------
def head(major, n):
    for limit, info, fmt in ((24, None, ""), (1 << 8, 24, ">B"), (1 << 16, 25, ">H"), (1 << 32, 26, ">I"), (1 << 64, 27, ">Q")):
        if n < limit:
            return bytes([major << 5 | n]) if info is None else bytes([major << 5 | info]) + struct.pack(fmt, n)


def cbor(value):
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    if isinstance(value, dict):
        return head(5, len(value)) + b"".join(k + v for k, v in sorted((cbor(k), cbor(v)) for k, v in value.items()))
    raise TypeError(value)


# --- Ed25519 (RFC 8032 §6, shortened) ------------------------------------------------------------------------------------
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def mul(s, p):
    q = (0, 1, 1, 0)
    while s:
        if s & 1:
            q = add(q, p)
        p, s = add(p, p), s >> 1
    return q


def base():
    y = 4 * pow(5, P - 2, P) % P
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    x = x if x % 2 == 0 else P - x
    return x, y, 1, x * y % P


G = base()


def compress(p):
    z = pow(p[2], P - 2, P)
    return (p[1] * z % P | (p[0] * z % P & 1) << 255).to_bytes(32, "little")


def expand_seed(seed):
    h = hashlib.sha512(seed).digest()
    return int.from_bytes(h[:32], "little") & ((1 << 254) - 8) | 1 << 254, h[32:]


def public(seed):
    return compress(mul(expand_seed(seed)[0], G))


def ed25519(seed, message):
    a, prefix = expand_seed(seed)
    number = lambda *parts: int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L
    r = number(prefix, message)
    big_r = compress(mul(r, G))
    return big_r + ((r + number(big_r, public(seed), message) * a) % L).to_bytes(32, "little")


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
    "map": entry(4, {14: [[u32(0), ROOT0], [u32(3), ROOT1]]}),
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
