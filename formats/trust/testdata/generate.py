#!/usr/bin/env python3
"""Generates vectors for the crate `trust` without using it: Python's standard library and RFC 8032 §6's Ed25519.

    python3 formats/trust/testdata/generate.py > formats/trust/testdata/vectors.json

The authenticated map is built from the whole content each time, by dividing the keys at the first bit in which they
differ. The crate changes paths of a trie instead.
"""
import hashlib
import json
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "testdata"))
from primitives import cbor, ed25519, public  # noqa: E402


# --- the authenticated map (formats/tlog/src/map/mod.rs) -----------------------------------------------------------------
sha = lambda *parts: hashlib.sha256(b"".join(parts)).digest()
u64 = lambda n: struct.pack(">Q", n)


def leb128(n):
    return bytes([n]) if n < 128 else bytes([n % 128 | 128]) + leb128(n // 128)


def bit(key, n):
    return key[n // 8] >> (7 - n % 8) & 1


def node(items):
    """The hash of the items, and for each key the path from its leaf up."""
    if len(items) == 1:
        [(key, value)] = items.items()
        return sha(b"\0", leb128(len(key)), key, leb128(len(value)), value), {key: b""}
    at = next(n for n in range(256) if len({bit(key, n) for key in items}) == 2)
    halves = [node({key: value for key, value in items.items() if bit(key, at) == side}) for side in (0, 1)]
    paths = {}
    for side, (_, below) in enumerate(halves):
        paths |= {key: path + leb128(at) + halves[1 - side][0] for key, path in below.items()}
    return sha(b"\1", leb128(at), halves[0][0], halves[1][0]), paths


def in_map(state):
    """The map's content for a state: text of the key -> (version, value)."""
    return {sha(key.encode()): u64(version) + sha(cbor(value)) for key, (version, value) in state.items()}


def root(state):
    return node(in_map(state))[0] if state else sha()


def proof(state, key):
    items, place = in_map(state), sha(key.encode())
    if key in state:
        version, value = state[key]
        return cbor({"key": key, "value": {"version": version, "bytes": cbor(value)}, "path": node(items)[1][place]})
    # The leaf to which the absent key's bits lead.
    below = dict(items)
    while len(below) > 1:
        at = next(n for n in range(256) if len({bit(other, n) for other in below}) == 2)
        below = {other: value for other, value in below.items() if bit(other, at) == bit(place, at)}
    [(other, value)] = below.items()
    path = leb128(len(other)) + other + leb128(len(value)) + value + node(items)[1][other]
    return cbor({"key": key, "value": None, "path": path})


# --- change sets (docs/change-set.cddl) -----------------------------------------------------------------------------------
ORIGIN = "log.example/einsicht"
seed = lambda n: bytes([n]) * 32
key_id = lambda n: sha(public(seed(n)))
states = {"directory": {}, "registry": {}}
sets = []


def change(kind, valid_from, reason, operations, signers):
    """Applies operations (text of the key -> value or None) and adds the signed set to the list."""
    state, version = states[kind], sum(made["kind"] == kind for made in sets) + 1
    for key, value in operations.items():
        if value is None:
            del state[key]
        else:
            state[key] = (version, value)
    listed = [[key, None if value is None else cbor(value)]
              for key, value in sorted(operations.items(), key=lambda item: item[0].encode())]
    operation_bytes = cbor(listed)
    header = cbor({"kind": kind, "origin": ORIGIN, "version": version, "valid_from": valid_from, "reason": reason,
                   "operations": sha(operation_bytes), "root": root(state)})
    signatures = sorted([key_id(n), ed25519(seed(n), b"einsicht/change-set/v1\0" + header)] for n in signers)
    document = cbor([header, signatures])
    sets.append({"kind": kind, "version": version, "signers": signers, "digest": sha(document).hex(),
                 "root": root(state).hex(), "file": (document + operation_bytes).hex()})


def snapshot(kind):
    state = states[kind]
    head = {"kind": kind, "origin": ORIGIN, "version": sum(made["kind"] == kind for made in sets), "values": len(state)}
    items = sorted(state.items(), key=lambda item: item[0].encode())
    return cbor(head) + b"".join(cbor([key, version, cbor(value)]) for key, (version, value) in items)


def authority(n, signs=("directory", "registry")):
    return {f"authority/{key_id(n).hex()}": {"name": f"Registerbehörde {n}", "key": public(seed(n)), "signs": list(signs)}}


def writer(name, n, kinds):
    return {f"writer/{name}": {"name": name, "key": public(seed(n)), "kinds": kinds}}


def body(id, name, level, ars, classes, roles, subject, at):
    return {f"body/{id}": {"id": id, "name": name, "level": level, "ars": ars, "classes": classes, "roles": roles,
                           "contact": f"klaerung@{level}.example", "data_protection": f"datenschutz@{level}.example",
                           "forms": {"subject": subject, "at": at}}}


def component(id, name, n, body, operator="rz.nord", serves=(), state="active"):
    consumer = not serves
    return {f"component/{id}": {"id": id, "directory": "DVDV", "identifier": f"ags:{n}", "name": name,
                                "signing_key": public(seed(n)), "sealing_key": bytes([n + 100]) * 32,
                                "consumer": consumer, "provider": not consumer, "body": body,
                                **({} if operator == body else {"operator": operator}),
                                "state": state, "serves": list(serves)}}


def catalogue():
    return {
        "class/parken": {"id": "parken", "name": "Straßenverkehrsbehörde"},
        "evidence/zb1": {"id": "zb1", "uri": "https://sr.oots.tech.ec.europa.eu/zb1", "register": "zfzr",
                         "title": "Zulassungsbescheinigung Teil I", "categories": ["Kennzeichen", "Halter"]},
        "norm/stvg-35": {"id": "stvg-35", "law": "StVG", "section": "§ 35 Absatz 1", "heading": None,
                         "permits": "Beispielnorm",
                         "source": {"repository": "beispiel/gesetze", "path": "stvg.md", "commit": "0a" * 20,
                                    "read": "2026-11-29"}},
        "register/zfzr": {"id": "zfzr", "name": "Zentrales Fahrzeugregister", "vip": 7, "idnrg": None,
                          "subjects": "both", "norm": "stvg-35"},
    }


def permission(version, recorded):
    return {f"permission/parken@{version}": {
        "id": "parken", "version": version, "consumer": {"class": "parken"}, "provider": {"register": "zfzr"},
        "evidence": "zb1", "purpose": "bewohnerparken", "occasion": "Sie haben einen Bewohnerparkausweis beantragt.",
        "procedure": "99108005001000", "norms": ["stvg-35"], "area": "any", "subjects": "natural", "idnr": True,
        "preview": True, "representation": False, "retention": "idnrg-2y", "disclosure": "immediate",
        "valid": {"from": 0, "until": None}, "recorded": recorded}}


change("directory", 1000, "Erste Fassung", {
    **authority(1), **authority(2), **authority(3), "threshold": 2,
    "identity": {"signing": public(seed(20)), "sealing": bytes([21]) * 32},
    "supervision": {"sealing": bytes([22]) * 32},
    **writer("broker", 10, ["intent", "outcome", "denial"]), **writer("operator", 11, ["directory", "registry"]),
    **body("ars:053150000000", "Stadt Musterhausen", "municipal", "053150000000", ["parken"], ["responsible"],
           "die ~", "bei der ~"),
    **body("rz.nord", "Rechenzentrum Nord", "indirect", "05", [], ["operating"],
           "das ~", "beim ~"),
    **component("stadt.parken", "Stadt Musterhausen", 30, "ars:053150000000"),
    **component("kba.zfzr", "Kraftfahrt-Bundesamt", 31, "rz.nord", serves=[{"register": "zfzr", "areas": [""]}]),
    "delegation/d1": {"id": "d1", "operator": "rz.nord", "body": "ars:053150000000", "component": "stadt.parken",
                      "valid": {"from": 1000, "until": 9000}},
}, [1, 2])
change("registry", 1100, "Erste Regel", {**catalogue(), **permission(1, {"from": 1100, "until": None})}, [3, 1])
# The second directory exchanges an authority and ends the delegation with its operator.
change("directory", 2000, "Neuer Schlüssel", {
    f"authority/{key_id(1).hex()}": None, **authority(4), "delegation/d1": None, "body/rz.nord": None,
    **component("stadt.parken", "Stadt Musterhausen", 32, "ars:053150000000", "ars:053150000000"),
    **component("kba.zfzr", "Kraftfahrt-Bundesamt", 31, "ars:053150000000", "ars:053150000000",
                [{"register": "zfzr", "areas": ["05", "06"]}], "suspended")}, [1, 3])
change("registry", 2100, "Berichtigung", {**permission(1, {"from": 1100, "until": 2100}), **permission(2, {"from": 2100, "until": None})}, [2, 4])
change("directory", 2000, "Dritte Fassung", {**writer("broker", 12, ["intent", "outcome", "denial"]),
                                             f"authority/{key_id(3).hex()}": None, "threshold": 1}, [4, 2])
change("registry", 3000, "Ohne Änderung", {}, [2])

print(json.dumps({
    "origin": ORIGIN,
    "genesis_seeds": [1, 2, 3],
    "genesis_threshold": 2,
    "sets": sets,
    "snapshots": {kind: snapshot(kind).hex() for kind in states},
    "proofs": {key: proof(states["registry" if key.startswith("permission") else "directory"], key).hex() for key in (
        "component/stadt.parken", "writer/broker", "threshold", "component/stadt.meldewesen", "body/rz.nord",
        "permission/parken@2", "permission/parken@3")},
}, indent=1))
