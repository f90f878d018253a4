// A small chart of the last ten minutes: an area from the oldest sample to the newest, at the right.

import type { JSX } from "preact";

import { t } from "../i18n.ts";

const SLOTS = 120;
const WIDTH = SLOTS - 1;
const HEIGHT = 40;

export interface ChartProps {
  title: string;
  value: string;
  hint: string;
  /** Oldest first; at most as many as fit are drawn. */
  points: number[];
  /** What the chart is high, or more where a point is. */
  top: number;
  unit: string;
  everyS: number;
}

export function Chart({ title, value, hint, points, top, unit, everyS }: ChartProps): JSX.Element {
  const shown = points.slice(-SLOTS);
  const peak = Math.max(0, ...shown);
  const high = Math.max(top, peak) * 1.05 || 1;
  const x = (index: number) => SLOTS - shown.length + index;
  const y = (point: number) => Number((HEIGHT - (point / high) * HEIGHT).toFixed(2));
  const line = shown.map((point, index) => `${x(index)},${y(point)}`);
  const minutes = Math.max(1, Math.round((shown.length * everyS) / 60));
  const told = t("chart.told", { title, value, peak: rounded(peak), unit, minutes });
  return (
    <figure class={`chart ${peak > top && top > 1 ? "above" : ""}`}>
      <figcaption>
        <span class="chart-title">{title}</span> <strong>{value}</strong> <span class="faint">{hint}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={told}>
        <title>{told}</title>
        {top > 1 && <line class="limit" x1={0} x2={WIDTH} y1={y(top)} y2={y(top)} />}
        {shown.length > 1 && (
          <>
            <polygon class="area" points={`${x(0)},${HEIGHT} ${line.join(" ")} ${WIDTH},${HEIGHT}`} />
            <polyline class="line" points={line.join(" ")} />
          </>
        )}
      </svg>
    </figure>
  );
}

const rounded = (value: number): number => (value < 10 ? Number(value.toFixed(1)) : Math.round(value));
