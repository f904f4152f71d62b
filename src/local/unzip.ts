import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inflateRawSync } from 'node:zlib';

const endOfDirectory = 0x06054b50;

/** Unpacks an archive below 4 GB, stored or deflated (PKWARE's APPNOTE.TXT, 4.3). */
export async function unzip(archive: string, folder: string): Promise<string[]> {
  const bytes = await readFile(archive);
  const names: string[] = [];
  for (const { name, content } of entries(bytes)) {
    if (name.endsWith('/')) continue;
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
    names.push(name);
  }
  return names;
}

function* entries(bytes: Buffer): Generator<{ name: string; content: Buffer }> {
  const end = bytes.lastIndexOf(Buffer.from(Uint32Array.of(endOfDirectory).buffer));
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left -= 1) {
    const nameLength = bytes.readUInt16LE(at + 28);
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength);
    yield { name, content: contentOf(bytes, at) };
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
}

function contentOf(bytes: Buffer, directoryEntry: number): Buffer {
  const deflated = bytes.readUInt16LE(directoryEntry + 10) === 8;
  const size = bytes.readUInt32LE(directoryEntry + 20);
  const header = bytes.readUInt32LE(directoryEntry + 42);
  const start = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28);
  const content = bytes.subarray(start, start + size);
  return deflated ? inflateRawSync(content) : content;
}
