import { share, type AnalysedCommit } from './commit.ts';

const kinds = ['feature', 'fix', 'refactor', 'docs', 'test', 'chore', 'other'] as const;
/** What a commit is for. */
export type CommitKind = (typeof kinds)[number];

/** Merges are left out. */
export interface CommitKinds {
  /** Share of the commits of each kind; together 1, but for rounding. */
  shares: Record<CommitKind, number>;
  /** Share of the commits that follow Conventional Commits. */
  conventionalShare: number;
}

/** Types of Conventional Commits 1.0.0 (https://www.conventionalcommits.org) and of its Angular convention. */
const conventionalTypes: Readonly<Record<string, CommitKind>> = {
  ...{ feat: 'feature', feature: 'feature', fix: 'fix', hotfix: 'fix', revert: 'fix' },
  ...{ refactor: 'refactor', perf: 'refactor', style: 'refactor' },
  ...{ docs: 'docs', doc: 'docs', test: 'test', tests: 'test' },
  ...{ chore: 'chore', build: 'chore', ci: 'chore', release: 'chore', deps: 'chore' },
};

/**
 * For other headlines, the first that matches. The words of corrective, perfective and adaptive changes are in the manner of
 * A. Mauczka et al., "Tracing Your Maintenance Work – A Cross-Project Validation of an Automated Classification Dictionary
 * for Commit Messages", FASE 2012.
 */
const words: readonly [kind: CommitKind, pattern: RegExp][] = [
  [
    'fix',
    /\b(fix(e[sd]|ing)?|bugs?|hotfix|repairs?|corrects?|corrected|crash(es)?|revert(s|ed)?|regression)\b/i,
  ],
  ['test', /\b(tests?|specs?|coverage)\b/i],
  ['docs', /\b(docs?|documentation|readme|changelog|typos?)\b/i],
  [
    'refactor',
    /\b(refactor(s|ed|ing)?|clean(s|ed|ing)?[- ]?up|simplif(y|ies|ied)|renam(e[sd]?|ing)|mov(e[sd]|ing)|move|extract(s|ed)?|remov(e[sd]?|ing)|restructur(e[sd]?|ing)|rework(s|ed)?|optimi[sz]e[sd]?)\b/i,
  ],
  ['chore', /\b(bump(s|ed)?|upgrad(e[sd]?|ing)|dependenc(y|ies)|release|version|lint|format(s|ted)?|ci)\b/i],
  [
    'feature',
    /\b(add(s|ed|ing)?|implement(s|ed|ing)?|introduc(e[sd]?|ing)|support(s|ed)?|creat(e[sd]?|ing)|allow(s|ed)?|new|features?)\b/i,
  ],
];

const conventional = /^(\w+)(\([^()]*\))?!?:\s/;

/** What a commit with this headline is for. */
export function kindOf(headline: string): CommitKind {
  return conventionalKind(headline) ?? words.find(([, pattern]) => pattern.test(headline))?.[0] ?? 'other';
}

export function kindsOf(commits: readonly AnalysedCommit[]): CommitKinds {
  const headlines = commits.filter(({ parents }) => parents <= 1).map(({ headline }) => headline);
  const found = headlines.map(kindOf);
  const count = (kind: CommitKind): number => found.filter((each) => each === kind).length;
  return {
    shares: Object.fromEntries(kinds.map((kind) => [kind, share(count(kind), found.length)])) as Record<
      CommitKind,
      number
    >,
    conventionalShare: share(
      headlines.filter((headline) => conventionalKind(headline) !== undefined).length,
      headlines.length,
    ),
  };
}

function conventionalKind(headline: string): CommitKind | undefined {
  const type = conventional.exec(headline)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(conventionalTypes, type) ? conventionalTypes[type] : undefined;
}
