import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A sentence embedding model small enough to be written by hand: every known word has its own direction, so that a text
 * is the mean of its words. Laid out as transformers.js expects a BERT model, and run by the same ONNX runtime.
 */

const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'];

/** Writes the model into `folder`. @param words - in lower case; each is one dimension */
export async function writeTinyModel(folder: string, words: readonly string[]): Promise<void> {
  const vocabulary = [...special, ...words];
  await mkdir(join(folder, 'onnx'), { recursive: true });
  await writeFile(join(folder, 'onnx/model.onnx'), onnxModel(vocabulary.length, words.length));
  await writeJson(join(folder, 'config.json'), {
    model_type: 'bert',
    architectures: ['BertModel'],
    hidden_size: words.length,
  });
  await writeJson(join(folder, 'tokenizer_config.json'), {
    tokenizer_class: 'BertTokenizer',
    model_max_length: 128,
    ...{ pad_token: '[PAD]', unk_token: '[UNK]' },
  });
  await writeJson(join(folder, 'tokenizer.json'), tokenizer(vocabulary));
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, JSON.stringify(value));
}

function tokenizer(vocabulary: readonly string[]): unknown {
  const token = (id: number) => ({ id, content: vocabulary[id], special: true, normalized: false });
  return {
    version: '1.0',
    added_tokens: special.map((_, id) => token(id)),
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: null,
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary.map((word, id) => [word, id])),
    },
  };
}

/** Field numbers and types of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). */
const types = { float: 1, int64: 7 } as const;

/** One node: `last_hidden_state = Gather(table, input_ids)`. */
function onnxModel(rows: number, columns: number): Uint8Array {
  const table = new Float32Array(rows * columns);
  for (let row = special.length; row < rows; row += 1) table[row * columns + row - special.length] = 1;
  // What no word says: so that a text without known words has a vector, too.
  for (let column = 0; column < columns; column += 1) table[columns + column] = 1 / columns;
  const node = [
    text(1, 'table'),
    text(1, 'input_ids'),
    text(2, 'last_hidden_state'),
    text(3, 'gather'),
    text(4, 'Gather'),
  ];
  const graph = [
    message(1, node),
    text(2, 'tiny'),
    message(5, [
      number(1, rows),
      number(1, columns),
      number(2, types.float),
      text(8, 'table'),
      bytes(9, new Uint8Array(table.buffer)),
    ]),
    message(11, valueInfo('input_ids', types.int64, ['batch', 'sequence'])),
    message(12, valueInfo('last_hidden_state', types.float, ['batch', 'sequence', columns])),
  ];
  return concatenate([number(1, 8), message(7, graph), message(8, [text(1, ''), number(2, 13)])]);
}

function valueInfo(name: string, type: number, shape: readonly (string | number)[]): Uint8Array[] {
  const dimensions = shape.map((size) =>
    message(1, [typeof size === 'number' ? number(1, size) : text(2, size)]),
  );
  return [text(1, name), message(2, [message(1, [number(1, type), message(2, dimensions)])])];
}

/** Protocol buffers: a varint. */
function varint(value: number): Uint8Array {
  const out = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...out, rest]);
    out.push((rest % 128) + 128);
  }
}

function number(field: number, value: number): Uint8Array {
  return concatenate([varint(field * 8), varint(value)]);
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  return concatenate([varint(field * 8 + 2), varint(value.length), value]);
}

function text(field: number, value: string): Uint8Array {
  return bytes(field, new TextEncoder().encode(value));
}

function message(field: number, parts: readonly Uint8Array[]): Uint8Array {
  return bytes(field, concatenate(parts));
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
