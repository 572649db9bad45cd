#!/usr/bin/env python3
"""Writes src/din91379/table.rs. Usage: generate.py DATATYPES SEARCH_FORM > src/din91379/table.rs

DATATYPES is the schema file din-norm-91379-datatypes.xsd of KoSIT (urn:xoev-de:kosit:xoev:datentyp:din-91379,
version 2022-08, from https://www.xoev.de/de/bibliothek). The patterns of its data types A to E say which characters
and sequences each type contains.

SEARCH_FORM is latin_list_search_form_1.3.txt of https://github.com/String-Latin/DIN-91379-Characters-and-Sequences,
commit 003582006a8f574a1e6a7d3874ff1940f3f039ef, licence CC BY 4.0. It lists the search form (Suchform) that DIN 91379
defines for each letter: its basic letters A to Z.

The program fails if the two sources disagree: each letter of data type A must have a search form, and nothing else.
"""
import html
import re
import sys
import unicodedata


def alternatives(pattern):
    """Splits a pattern of the form (a|[b-c]|d(e|f))* at its outer bars."""
    assert pattern[0] == "(" and pattern[-2:] == ")*"
    found, text, depth, bracket, at = [], "", 0, False, 1
    while at < len(pattern) - 2:
        char = pattern[at]
        if char == "\\":
            text += pattern[at:at + 2]
            at += 2
            continue
        if char == "[" and not bracket:
            bracket = True
        elif char == "]" and bracket:
            bracket = False
        elif not bracket:
            depth += (char == "(") - (char == ")")
        if char == "|" and depth == 0 and not bracket:
            found.append(text)
            text = ""
        else:
            text += char
        at += 1
    return found + [text]


def datatype(pattern):
    """The characters and the sequences of a data type."""
    chars, sequences = set(), set()
    for part in alternatives(html.unescape(pattern)):
        span = re.fullmatch(r"\[(.)-\\?(.)\]", part, re.S)
        group = re.fullmatch(r"(.)\((.*)\)", part, re.S)
        if span:
            chars |= set(range(ord(span[1]), ord(span[2]) + 1))
        elif group:
            sequences |= {group[1] + rest for rest in group[2].split("|")}
        elif len(part) == 1:
            chars.add(ord(part))
        else:
            sequences.add(part)
    return chars, sequences


def ranges(chars):
    """The closed ranges of a set of code points."""
    result = []
    for code in sorted(chars):
        if result and result[-1][1] == code - 1:
            result[-1][1] = code
        else:
            result.append([code, code])
    return result


def literal(text):
    return "".join(char if " " < char < "\x7f" and char not in "\\'\"" else f"\\u{{{ord(char):x}}}" for char in text)


def write(name, kind, documentation, items):
    """Writes a constant, several items on a line of at most 120 columns."""
    print(f"\n/// {documentation}\n#[rustfmt::skip]\npub(super) const {name}: &[{kind}] = &[")
    line = "   "
    for item in items:
        if len(line) + len(item) + 2 > 120:
            print(line)
            line = "   "
        line += f" {item},"
    print(line + "\n];")


def main():
    schema = open(sys.argv[1], encoding="utf-8").read()
    types = {name: datatype(pattern) for name, pattern in
             re.findall(r'name="datatype(.)".*?<xs:pattern value="(.*?)"/>', schema, re.S)}
    sequences = types["A"][1]
    assert sorted(types) == list("ABCDE") and all(types[name][1] == sequences for name in "BCDE")
    search = {}
    for line in open(sys.argv[2], encoding="utf-8"):
        fields = line.rstrip("\n").split("; ")
        search["".join(chr(int(code, 16)) for code in fields[2].split())] = fields[6]
    letters = {chr(code) for code in types["A"][0] if unicodedata.category(chr(code))[0] == "L"
               and not 0x2b9 <= code <= 0x2cc}
    assert set(search) == letters | sequences, set(search) ^ (letters | sequences)
    assert all(re.fullmatch("[A-Z]{1,2}", basic) for basic in search.values())
    print("//! The tables of DIN 91379:2022-08. `tables/generate.py` writes this file and names its sources: the patterns of")
    print("//! KoSIT's schema of the data types, and the list of search forms of \"DIN-91379-Characters-and-Sequences\" by the")
    print("//! String-Latin project (CC BY 4.0).")
    for name in "ABCDE":
        spans = [f"('{literal(chr(first))}', '{literal(chr(last))}')" for first, last in ranges(types[name][0])]
        write(name, "(char, char)", f"The single characters of data type {name}, as closed ranges.", spans)
    write("SEQUENCES", "&str", "The sequences of several characters, which every data type contains, sorted.",
          [f'"{literal(text)}"' for text in sorted(sequences)])
    write("SEARCH_FORM", "(&str, &str)", "The basic letters of each letter, sorted by letter.",
          [f'("{literal(text)}", "{search[text]}")' for text in sorted(search)])


main()
