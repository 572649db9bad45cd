// Changes a WebAssembly module, as an attacker or a broken disk would.

const EXPORTS = 7;
const IMPORTS = 2;
const CODE = 10;

/** Reads an unsigned LEB128 number. Returns it and the offset after it. */
function number(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function sections(bytes) {
  const found = {};
  for (let at = 8; at < bytes.length;) {
    const id = bytes[at];
    const [size, begin] = number(bytes, at + 1);
    found[id] = begin;
    at = begin + size;
  }
  return found;
}

const text = (bytes, at) => {
  const [length, begin] = number(bytes, at);
  return [bytes.toString('utf8', begin, begin + length), begin + length];
};

function importedFunctions(bytes, start) {
  let [count, at] = number(bytes, start);
  let functions = 0;
  for (; count > 0; count -= 1) {
    [, at] = text(bytes, at);
    [, at] = text(bytes, at);
    const kind = bytes[at++];
    if (kind !== 0) throw new Error('an import that is no function');
    functions += 1;
    [, at] = number(bytes, at);
  }
  return functions;
}

function exported(bytes, start, name) {
  let [count, at] = number(bytes, start);
  for (; count > 0; count -= 1) {
    let found;
    [found, at] = text(bytes, at);
    const kind = bytes[at++];
    let index;
    [index, at] = number(bytes, at);
    if (kind === 0 && found === name) return index;
  }
  throw new Error(`no function ${name}`);
}

/** The module with an exported function that traps at once. */
export function trapping(module, name) {
  const bytes = Buffer.from(module);
  const found = sections(bytes);
  const skip = exported(bytes, found[EXPORTS], name) - importedFunctions(bytes, found[IMPORTS]);
  let [, at] = number(bytes, found[CODE]);
  let size;
  for (let function_ = 0; ; function_ += 1) {
    [size, at] = number(bytes, at);
    if (function_ === skip) break;
    at += size;
  }
  const end = at + size;
  let [groups, body] = number(bytes, at);
  for (; groups > 0; groups -= 1) {
    [, body] = number(bytes, body);
    body += 1;
  }
  // unreachable, nop …, end
  bytes.fill(0x01, body, end);
  bytes[body] = 0x00;
  bytes[end - 1] = 0x0b;
  return bytes;
}
