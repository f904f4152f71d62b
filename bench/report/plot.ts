import { type Comparison, figure, type Metric } from '../comparison.ts';

const width = 860;
const barsFrom = 300;
const barsTo = 740;
const barHeight = 14;
const rowHeight = 18;
const headHeight = 26;

/** Told apart in black and white, too, by the names beside the bars. */
const colours = ['#1f6feb', '#79b8ff', '#bf8700', '#8250df', '#1a7f37', '#cf222e'];

/**
 * An SVG with the bars of each metric: the length is the median, the line the range. Each metric has its own scale,
 * whose end is the largest value.
 */
export function plot(comparison: Comparison): string {
  const names = Object.keys(comparison.rounds);
  const parts: string[] = [];
  let y = 8;
  for (const metric of comparison.metrics) {
    const block = drawMetric(comparison, metric, names, y);
    parts.push(block.svg);
    y += block.height;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" font-family="sans-serif" font-size="12">`,
    `<title>${escape(comparison.title)}</title>`,
    `<rect width="${width}" height="${y}" fill="#ffffff"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function drawMetric(
  comparison: Comparison,
  { name, unit, better, digits }: Metric,
  names: readonly string[],
  top: number,
): { svg: string; height: number } {
  const measured = names.flatMap((contender, index) => {
    const value = figure(comparison, contender, name);
    return value ? [{ contender, value, colour: colours[index % colours.length] ?? '#000000' }] : [];
  });
  const most = Math.max(...measured.map(({ value }) => value.most));
  const at = (value: number): string => (barsFrom + (value / (most || 1)) * (barsTo - barsFrom)).toFixed(1);
  const head = text(8, top + 16, `${name}, ${unit} (${better} is better)`, 'font-weight="bold"');
  const rows = measured.map(({ contender, value, colour }, index) => {
    const y = top + headHeight + index * rowHeight;
    const middle = y + barHeight / 2;
    const [end, least, largest] = [at(value.median), at(value.least), at(value.most)];
    return [
      text(barsFrom - 8, y + 11, contender, 'text-anchor="end"'),
      `<rect x="${barsFrom}" y="${y}" width="${(Number(end) - barsFrom).toFixed(1)}" height="${barHeight}" fill="${colour}"/>`,
      `<path d="M${least} ${middle}H${largest}" stroke="#24292f"/>`,
      text(Number(largest) + 8, y + 11, value.median.toFixed(digits), ''),
    ].join('');
  });
  return { svg: [head, ...rows].join('\n'), height: headHeight + rows.length * rowHeight + 10 };
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escape(content)}</text>`;
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
