import type { JobRow, Relative } from '../../data/rows.ts';
import { href } from '../../location/route.ts';
import classes from './dependency-graph.module.css';
import { layOut, NODE_HEIGHT, NODE_WIDTH, type GraphNode } from './graph-layout.ts';

/** Longest type that fits a node, in characters. */
const FITS = 27;

/** What the job waits for on the left, what waits for it on the right. */
export function DependencyGraph({
  job,
  parents,
  children,
}: {
  job: Pick<JobRow, 'id' | 'type' | 'status'>;
  parents: Relative[];
  children: Relative[];
}) {
  const { nodes, edges, width, height } = layOut(job, parents, children);
  return (
    <div className={classes.frame} role="region" aria-label="Dependencies" tabIndex={0}>
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
        {edges.map((path) => (
          <path key={path} d={path} className={classes.edge} />
        ))}
        {nodes.map((node) => (
          <Node key={`${node.x} ${node.y}`} node={node} isCurrent={node.id === job.id} />
        ))}
      </svg>
    </div>
  );
}

function Node({ node: { id, label, status, x, y }, isCurrent }: { node: GraphNode; isCurrent: boolean }) {
  const shown = label.length > FITS ? `${label.slice(0, FITS - 1)}…` : label;
  const box = (
    <g transform={`translate(${x} ${y})`} className={classes.node} data-current={isCurrent}>
      <rect width={NODE_WIDTH} height={NODE_HEIGHT} rx={5} />
      {status && <circle cx={14} cy={NODE_HEIGHT / 2} r={4.5} data-status={status} />}
      <text x={status ? 26 : 12} y={NODE_HEIGHT / 2 + 4}>
        {shown}
      </text>
    </g>
  );
  if (id === null || isCurrent) return box;
  return (
    <a href={href(['jobs', id])} aria-label={`${label}, ${status}`}>
      {box}
    </a>
  );
}
