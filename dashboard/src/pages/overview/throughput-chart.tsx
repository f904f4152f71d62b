import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import type { ThroughputRow } from '../../data/rows.ts';
import { formatCount } from '../../format/numbers.ts';
import { formatTime } from '../../format/times.ts';
import classes from './throughput-chart.module.css';

const HEIGHT = 190;

/** Bars of completed jobs with the failed and cancelled ones stacked upon them; the legend counts the bar under the pointer. */
export function ThroughputChart({ rows, span }: { rows: ThroughputRow[]; span: string }) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const [pointedAt, setPointedAt] = useState<number | null>(null);
  const scheme = useComputedColorScheme('light');
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const chart = new uPlot(options(element, setPointedAt), [[], [], [], []], element);
    plot.current = chart;
    const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
    };
  }, [scheme]);
  useEffect(() => plot.current?.setData(stacked(rows)), [rows, scheme]);
  const pointed = pointedAt === null ? undefined : rows[pointedAt];
  const summary = countsOf(rows)
    .map(([status, count]) => `${count} ${status}`)
    .join(', ');
  return (
    <div className={classes.panel}>
      <div ref={frame} role="img" aria-label={`Ended jobs, ${span}: ${summary}`} className={classes.plot} />
      <ul className={classes.legend}>
        {countsOf(pointed ? [pointed] : rows).map(([status, count]) => (
          <li key={status} data-status={status}>
            {count} {status}
          </li>
        ))}
        <li data-status="time">{pointed ? `from ${formatTime(pointed.starts_at).slice(0, 16)}` : span}</li>
      </ul>
    </div>
  );
}

function countsOf(rows: readonly ThroughputRow[]) {
  return (['completed', 'failed', 'cancelled'] as const).map(
    (status) => [status, formatCount(rows.reduce((sum, row) => sum + row[status], 0))] as const,
  );
}

/** uPlot draws each series from zero: the tallest sum comes first, and the others cover it. */
function stacked(rows: readonly ThroughputRow[]): uPlot.AlignedData {
  return [
    rows.map(({ starts_at }) => Date.parse(starts_at) / 1000),
    rows.map(({ completed, failed, cancelled }) => completed + failed + cancelled),
    rows.map(({ failed, cancelled }) => failed + cancelled),
    rows.map(({ failed }) => failed),
  ];
}

function options(element: HTMLElement, onPoint: (index: number | null) => void): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--mantine-color-dimmed'),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: colour('--jm-border'), width: 1 },
    ticks: { show: false },
  };
  const bars = uPlot.paths.bars?.({ size: [0.75, 22] });
  const series = (label: string, fill: string) => ({
    label,
    fill,
    width: 0,
    paths: bars,
    points: { show: false },
  });
  return {
    width: Math.max(element.clientWidth, 1),
    height: HEIGHT,
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
    legend: { show: false },
    scales: {
      x: { range: (chart, min, max) => withWholeBars(chart.data[0], min, max) },
      y: { range: (_, __, max) => [0, Math.max(4, max * 1.1)] },
    },
    axes: [
      { ...axis, size: 30, values: (_, places) => places.map(placeLabel) },
      { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 5e4, 1e5] },
    ],
    series: [
      {},
      series('completed', colour('--jm-completed')),
      series('cancelled', colour('--jm-cancelled')),
      series('failed', colour('--jm-failed')),
    ],
  };
}

/** Half a bar more on both sides. */
function withWholeBars(
  [first, second]: ArrayLike<number> & Iterable<number>,
  min: number,
  max: number,
): uPlot.Range.MinMax {
  const half = ((second ?? 0) - (first ?? 0)) / 2;
  return [min - half, max + half];
}

/** Times of day; days at midnight, and where the axis steps by many hours. Both in the reader's zone. */
function placeLabel(seconds: number): string {
  const time = formatTime(new Date(seconds * 1000).toISOString());
  return time.slice(11, 16) === '00:00' ? time.slice(5, 10) : time.slice(11, 16);
}
