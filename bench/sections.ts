import { bloatSection } from './bloat/section.ts';
import { captureSection } from './capture/section.ts';
import { historySection } from './history/section.ts';
import { keysSection } from './keys/section.ts';
import { latencySection } from './latency/section.ts';
import { queueSection } from './queue/section.ts';
import type { Section } from './section.ts';
import { workspacesSection } from './workspaces/section.ts';

/** In the order in which they are measured, and stand on the page. */
export const sections: readonly Section[] = [
  queueSection,
  latencySection,
  historySection,
  bloatSection,
  keysSection,
  captureSection,
  workspacesSection,
];
