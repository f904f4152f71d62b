import { StatusDot } from '../../components/status-mark.tsx';
import type { JobRow, Relative } from '../../data/rows.ts';
import { href } from '../../location/route.ts';
import classes from './dependency-graph.module.css';
import { layOut, NODE_HEIGHT, NODE_WIDTH, type GraphNode } from './graph-layout.ts';

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
    <div className={classes.frame} role="region" aria-label="Graph of dependencies" tabIndex={0}>
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
  const content = (
    <>
      {status && <StatusDot status={status} />}
      <span className={classes.label}>{label}</span>
    </>
  );
  return (
    <foreignObject x={x} y={y} width={NODE_WIDTH} height={NODE_HEIGHT}>
      {id === null || isCurrent ? (
        <div className={classes.node} data-current={isCurrent}>
          {content}
        </div>
      ) : (
        <a className={classes.node} href={href(['jobs', id])} title={`${label}, ${status}`}>
          {content}
        </a>
      )}
    </foreignObject>
  );
}
