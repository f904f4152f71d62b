import type { Random } from '../../stand-in/random.ts';

const VERBS = ['Add', 'Fix', 'Remove', 'Speed up', 'Document', 'Rename', 'Test', 'Refactor'];
const SUBJECTS = [
  'the retry loop',
  'lease expiry',
  'pagination of reviews',
  'the settings page',
  'time zone handling',
  'the dashboard query',
  'webhook signatures',
  'cold starts',
];

const TITLES_FROM_ABROAD = [
  '🚀 Ship it: new onboarding flow 🎉',
  'إصلاح اتجاه النص في شريط الأدوات',
  'תיקון יישור הטקסט בטבלה',
  '修复分页游标在空列表上的错误',
  '日付の書式を直す',
  'Fix `null` vs "undefined" in <Table> & escape \\ backslashes',
  "Don't drop rows; -- '); DROP TABLE pull_requests;",
];

const BODIES = [
  'Small clean-up, no behaviour change.',
  'Fixes #12.\n\n- [x] tests\n- [ ] docs\n',
  'Before:\n\n```ts\nconst page = await fetchPage(cursor!);\n```\n\nAfter:\n\n```ts\nif (cursor === null) return [];\n```\n',
  '🎉🎉 Finally! 👩‍👩‍👧‍👦 family emoji, flags 🇨🇦, skin tones 👍🏽.',
  'هذا التغيير يصلح اتجاه النص. See also the English notes below.\n\nשלום עולם',
  '这个改动修复了分页。\n\n変更点：日付の書式。\n\n변경 사항 없음.',
  '| before | after |\n|---|---|\n| 120 ms | 8 ms |\r\n\r\nWindows line endings\r\nhere.',
  '<details><summary>Log</summary>\n\n```\nError: connect ECONNREFUSED\n```\n\n</details>',
];

const REMARKS = [
  'Looks good to me 👍',
  'Could you add a test for the empty case?',
  'nit: a shorter name would do here.',
  '```suggestion\n  return rows.length;\n```',
  'شكراً، هذا أوضح الآن.',
  'ありがとうございます！',
  'I measured it: 3.2 ms → 0.9 ms.',
  'Why is this needed? The caller has already checked it.',
];

export function writeTitle(random: Random): string {
  if (random.chance(0.12)) return random.pick(TITLES_FROM_ABROAD);
  return `${random.pick(VERBS)} ${random.pick(SUBJECTS)}`;
}

/** Null (never written), empty, or text in many scripts. */
export function writeBody(random: Random): string | null {
  const roll = random.next();
  if (roll < 0.08) return null;
  if (roll < 0.14) return '';
  return random.pick(BODIES);
}

/** About 60 kB, near GitHub's limit of 65,536 characters. */
export function writeLongBody(): string {
  const line =
    'A long changelog line that a release tool has pasted, with a link: https://example.org/changes\n';
  return `# Release notes\n\n${line.repeat(Math.ceil(60_000 / line.length))}`;
}

export function writeRemark(random: Random): string {
  return random.pick(REMARKS);
}
