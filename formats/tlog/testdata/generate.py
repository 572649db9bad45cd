#!/usr/bin/env python3
"""Writes vectors.json: a deterministic log of 300 entries with its checkpoints, proofs, tiles and cosignatures.

This is a second implementation, written from the specifications, so that the crate's tests compare two. Run it in this
directory, with the package `cryptography` of version 48 or later (for ML-DSA). It needs no network:

    python3 generate.py            # rewrites vectors.json; `git diff` must be empty
    python3 generate.py --subtrees # prints the three accumulated digests of the subtree draft instead (some seconds)

ML-DSA signing is randomised here, so the script verifies the ML-DSA witness's line in the existing file and keeps it. The
digest of the deterministic signature on the same message comes from another implementation.
"""

import base64
import functools
import hashlib
import json
import pathlib
import struct
import sys

from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FILE = pathlib.Path(__file__).with_name("vectors.json")
ORIGIN = "log.example/vectors"
WITNESS = "witness.example/w1"
PQ_WITNESS = "witness.example/pq1"
TIME = 1767225600
ENTRIES = [f"entry-{i}".encode() for i in range(300)]
DETERMINISTIC_SIGNATURE_SHA256 = "92573dd89e2b30e75878124894c0579f96a0c284fe243342cd11b27e3f2a958c"


def b64(data):
    return base64.b64encode(data).decode()


def sha256(data):
    return hashlib.sha256(data).digest()


# --- RFC 6962 tree -----------------------------------------------------------------------------------------------------


def leaf(data):
    return sha256(b"\x00" + data)


def node(left, right):
    return sha256(b"\x01" + left + right)


def split(n):
    """The largest power of two below n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def root(hashes):
    if not hashes:
        return sha256(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return node(root(hashes[:k]), root(hashes[k:]))


def inclusion(index, hashes):
    if len(hashes) == 1:
        return []
    k = split(len(hashes))
    if index < k:
        return inclusion(index, hashes[:k]) + [root(hashes[k:])]
    return inclusion(index - k, hashes[k:]) + [root(hashes[:k])]


def subtree_proof(start, end, hashes, known=True):
    n = len(hashes)
    if (start, end) == (0, n):
        return [] if known else [root(hashes)]
    k = split(n)
    if end <= k:
        return subtree_proof(start, end, hashes[:k], known) + [root(hashes[k:])]
    if k <= start:
        return subtree_proof(start - k, end - k, hashes[k:], known) + [root(hashes[:k])]
    return subtree_proof(0, end - k, hashes[k:], False) + [root(hashes[:k])]


# --- notes -------------------------------------------------------------------------------------------------------------


def key_id(name, key_type, public_key):
    return sha256(name.encode() + b"\n" + bytes([key_type]) + public_key)[:4]


def vkey(name, key_type, public_key):
    return f"{name}+{key_id(name, key_type, public_key).hex()}+{b64(bytes([key_type]) + public_key)}"


def line(name, identifier, signature):
    return f"\u2014 {name} {b64(identifier + signature)}\n"


class Ed25519:
    def __init__(self, seed):
        self.seed = seed
        self.private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self.private.public_key().public_bytes_raw()


LOG = Ed25519(bytes(range(32)))
COSIGNER = Ed25519(bytes(range(32, 64)))
HASHES = [leaf(entry) for entry in ENTRIES]


def text(size):
    return f"{ORIGIN}\n{size}\n{b64(root(HASHES[:size]))}\n"


def checkpoint(size):
    signature = LOG.private.sign(text(size).encode())
    return text(size) + "\n" + line(ORIGIN, key_id(ORIGIN, 1, LOG.public), signature)


def cosignature_message(size):
    return f"cosignature/v1\ntime {TIME}\n" + text(size)


def cosignature(size):
    signature = struct.pack(">Q", TIME) + COSIGNER.private.sign(cosignature_message(size).encode())
    return line(WITNESS, key_id(WITNESS, 4, COSIGNER.public), signature)


def subtree_message(time, start, end, subtree_root):
    return (
        b"subtree/v1\n\0"
        + bytes([len(PQ_WITNESS)]) + PQ_WITNESS.encode()
        + struct.pack(">Q", time)
        + bytes([len(ORIGIN)]) + ORIGIN.encode()
        + struct.pack(">QQ", start, end)
        + subtree_root
    )


def bundle(entries):
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


# --- the file ----------------------------------------------------------------------------------------------------------


def log_vectors():
    consistency = [b64(hash) for hash in subtree_proof(0, 7, HASHES)]
    path = [b64(hash) for hash in inclusion(123, HASHES)]
    lines = lambda hashes: "".join(hash + "\n" for hash in hashes)
    return {
        "origin": ORIGIN,
        "log_seed_hex": LOG.seed.hex(),
        "log_pk_hex": LOG.public.hex(),
        "log_vkey": vkey(ORIGIN, 1, LOG.public),
        "log_skey_go": f"PRIVATE+KEY+{ORIGIN}+{key_id(ORIGIN, 1, LOG.public).hex()}+{b64(bytes([1]) + LOG.seed)}",
        "witness_seed_hex": COSIGNER.seed.hex(),
        "witness_pk_hex": COSIGNER.public.hex(),
        "witness_vkey": vkey(WITNESS, 4, COSIGNER.public),
        "roots": {str(n): root(HASHES[:n]).hex() for n in (0, 1, 2, 3, 5, 7, 8, 255, 256, 257, 300)},
        "checkpoint_7": checkpoint(7),
        "checkpoint_300": checkpoint(300),
        "checkpoint_0": checkpoint(0),
        "cosigv1_msg_7": cosignature_message(7),
        "cosigv1_line_7": cosignature(7),
        "cosigv1_line_300": cosignature(300),
        "consistency_7_300": consistency,
        "inclusion_123_300": path,
        "add_checkpoint_body_7_to_300": "old 7\n" + lines(consistency) + "\n" + checkpoint(300),
        "tlog_proof_123_300": "c2sp.org/tlog-proof@v1\nextra " + b64(b"hello") + "\nindex 123\n" + lines(path) + "\n"
        + checkpoint(300) + cosignature(300),
        "tile_0_000_sha256": sha256(b"".join(HASHES[:256])).hex(),
        "tile_0_001.p_44_sha256": sha256(b"".join(HASHES[256:])).hex(),
        "tile_1_000.p_1_hex": root(HASHES[:256]).hex(),
        "entries_000_sha256": sha256(bundle(ENTRIES[:256])).hex(),
        "entries_001.p_44_sha256": sha256(bundle(ENTRIES[256:])).hex(),
        "entries_000.p_2_hex": bundle(ENTRIES[:2]).hex(),
        "sub_256_300_root": root(HASHES[256:]).hex(),
        "subproof_256_300_in_300": [b64(hash) for hash in subtree_proof(256, 300, HASHES)],
        "subproof_8_13_in_14": [b64(hash) for hash in subtree_proof(8, 13, HASHES[:14])],
    }


def ml_dsa_vectors():
    seed = bytes(range(64, 96))
    public = mldsa.MLDSA44PrivateKey.from_seed_bytes(seed).public_key()
    raw = public.public_bytes_raw()
    message = subtree_message(TIME, 0, 300, root(HASHES))
    kept = json.loads(FILE.read_text())["mldsa_line_cp300"]
    blob = base64.b64decode(kept.split(" ")[2])
    assert blob[:12] == key_id(PQ_WITNESS, 6, raw) + struct.pack(">Q", TIME)
    public.verify(blob[12:], message)
    return {
        "mldsa_seed_hex": seed.hex(),
        "mldsa_pk_sha256": sha256(raw).hex(),
        "mldsa_name": PQ_WITNESS,
        "mldsa_keyid": key_id(PQ_WITNESS, 6, raw).hex(),
        "mldsa_vkey": vkey(PQ_WITNESS, 6, raw),
        "mldsa_msg_cp300_hex": message.hex(),
        "mldsa_msg_cp300_sha256": sha256(message).hex(),
        "mldsa_msg_sub256_300_hex": subtree_message(0, 256, 300, root(HASHES[256:])).hex(),
        "mldsa_line_cp300": kept,
        "mldsa_deterministic_sig_sha256_cp300": DETERMINISTIC_SIGNATURE_SHA256,
    }


# --- the accumulated digests of draft-ietf-plants-merkle-tree-certs -----------------------------------------------------


def subtree_digests():
    """One line for each valid subtree of up to 130 leaves (leaf i is the byte i); SHA-256 over all lines."""
    leaves = [leaf(bytes([i])) for i in range(131)]

    @functools.cache
    def hash_of(start, end):
        if end - start < 2:
            return leaves[start] if end > start else sha256(b"")
        k = split(end - start)
        return node(hash_of(start, start + k), hash_of(start + k, end))

    def proof(start, end, low, high, known=True):
        if start == end:
            return []
        if (start, end) == (low, high):
            return [] if known else [hash_of(low, high)]
        middle = low + split(high - low)
        if end <= middle:
            return proof(start, end, low, middle, known) + [hash_of(middle, high)]
        if middle <= start:
            return proof(start, end, middle, high, known) + [hash_of(low, middle)]
        return proof(middle, end, middle, high, False) + [hash_of(low, middle)]

    def subtrees(limit):
        for end in range(limit + 1):
            for start in range(end + 1):
                if start % (1 << max(end - start - 1, 0).bit_length()) == 0:
                    yield start, end

    def path(index, start, end):
        return proof(index, index + 1, start, end)

    hexes = lambda hashes: "".join(" " + hash.hex() for hash in hashes)
    yield "subtree hashes", (f"[{s}, {e}) {hash_of(s, e).hex()}\n" for s, e in subtrees(130))
    yield "inclusion", (f"{i} [{s}, {e}){hexes(path(i, s, e))}\n" for s, e in subtrees(130) for i in range(s, e))
    yield "consistency", (f"[{s}, {e}) {n}{hexes(proof(s, e, 0, n))}\n" for n in range(131) for s, e in subtrees(n))


if __name__ == "__main__":
    if sys.argv[1:] == ["--subtrees"]:
        for name, lines in subtree_digests():
            print(hashlib.sha256("".join(lines).encode()).hexdigest(), name)
    else:
        FILE.write_text(json.dumps(log_vectors() | ml_dsa_vectors(), indent=1, ensure_ascii=False) + "\n")
