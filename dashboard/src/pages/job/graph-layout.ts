import type { JobStatus, Relative } from '../../data/rows.ts';

export const NODE_WIDTH = 216;
export const NODE_HEIGHT = 34;
const COLUMN_GAP = 56;
const ROW_GAP = 10;

/** A column shows this many jobs; the rest is one node that counts them. */
const MOST_IN_COLUMN = 8;

export interface GraphNode {
  /** null where the node stands for several jobs. */
  id: string | null;
  label: string;
  status: JobStatus | null;
  x: number;
  y: number;
}

export interface Graph {
  nodes: GraphNode[];
  /** Paths of SVG. */
  edges: string[];
  width: number;
  height: number;
}

/** Places parents, the job and its children in three columns, each centred upon the tallest. */
export function layOut(
  job: Pick<Relative, 'id' | 'type' | 'status'>,
  parents: readonly Relative[],
  children: readonly Relative[],
): Graph {
  const columns = [bounded(parents), [job], bounded(children)].filter((column) => column.length > 0);
  const height = Math.max(...columns.map(heightOf));
  const placed = columns.map((column, index) =>
    column.map(({ id, type, status }, row) => ({
      id,
      label: type,
      status,
      x: 1 + index * (NODE_WIDTH + COLUMN_GAP),
      y: 1 + (height - heightOf(column)) / 2 + row * (NODE_HEIGHT + ROW_GAP),
    })),
  );
  const edges = placed
    .slice(1)
    .flatMap((column, index) => column.flatMap((to) => (placed[index] ?? []).map((from) => edge(from, to))));
  const width = columns.length * (NODE_WIDTH + COLUMN_GAP) - COLUMN_GAP + 2;
  return { nodes: placed.flat(), edges, width, height: height + 2 };
}

type Shown = Pick<Relative, 'type'> & { id: string | null; status: JobStatus | null };

function bounded(relatives: readonly Relative[]): Shown[] {
  if (relatives.length <= MOST_IN_COLUMN) return [...relatives];
  const rest = relatives.length - MOST_IN_COLUMN + 1;
  return [...relatives.slice(0, MOST_IN_COLUMN - 1), { id: null, type: `and ${rest} more`, status: null }];
}

function heightOf(column: readonly unknown[]): number {
  return column.length * (NODE_HEIGHT + ROW_GAP) - ROW_GAP;
}

function edge(from: GraphNode, to: GraphNode): string {
  const [x1, y1] = [from.x + NODE_WIDTH, from.y + NODE_HEIGHT / 2];
  const [x2, y2] = [to.x, to.y + NODE_HEIGHT / 2];
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
}
