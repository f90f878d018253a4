// What each plugin's processes use, over the last minutes, and how it failed.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import type { Channel } from "../channel.ts";
import { notifyError } from "../shell/toasts.tsx";
import { type CrashReport, HostError, type Measured, type MeasuredPlugin } from "../wire.ts";
import { Chart } from "./chart.tsx";

export function ActivityView({ channel }: { channel: Channel }): JSX.Element {
  const [measured, setMeasured] = useState<Measured | null>(null);
  const page = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const read = () => {
      // A tab behind another has no box; nobody looks at it.
      if (document.visibilityState !== "visible" || !page.current?.offsetParent) return;
      channel
        .request<Measured>("metrics.list")
        .then(setMeasured)
        .catch((error) => HostError.of(error).code !== "not_connected" && notifyError(error));
    };
    read();
    const timer = setInterval(read, 2500);
    const ends = ["plugin.state", "plugins.changed"].map((event) => channel.on(event, read));
    return () => {
      clearInterval(timer);
      ends.forEach((end) => end());
    };
  }, []);
  return (
    <div class="page wide" data-testid="activity-view" ref={page}>
      <header class="page-head">
        <h1>Activity</h1>
        <p>What the processes of each plugin use, sampled every {measured?.every_s ?? 5} s, over the last ten minutes.</p>
      </header>
      {measured?.plugins.length === 0 && <p class="quiet">No plugin is installed.</p>}
      <ul class="cards">
        {measured?.plugins.map((plugin) => (
          <Row key={plugin.id} plugin={plugin} everyS={measured.every_s} channel={channel} />
        ))}
      </ul>
    </div>
  );
}

function Row({ plugin, everyS, channel }: { plugin: MeasuredPlugin; everyS: number; channel: Channel }): JSX.Element {
  const { id, history, limits } = plugin;
  const running = plugin.pid !== null;
  const kind = plugin.memory_kind === "rss" ? " (shared pages count for each process)" : "";
  const calls = history.map(([, , , count]) => count);
  return (
    <li class="activity" data-testid="activity" data-id={id} data-state={plugin.state}>
      <h2>
        {id} <span class="version">{plugin.version}</span>
        <span class={`state ${plugin.enabled ? plugin.state : "disabled"}`}>
          <span class="dot" aria-hidden="true" />
          {plugin.enabled ? plugin.state : "disabled"}
          {plugin.throttled ? ", held" : ""}
        </span>
      </h2>
      <div class="charts">
        <Chart
          title="Memory"
          value={running ? `${plugin.memory_usage_mb.toFixed(0)} MB` : "none"}
          hint={`of ${limits.memory_mb} MB${kind}`}
          points={history.map(([, memory]) => memory)}
          top={limits.memory_mb}
          unit="MB"
          everyS={everyS}
        />
        <Chart
          title="Processor"
          value={running ? `${plugin.cpu_percent.toFixed(0)} %` : "none"}
          hint={`of one; may use ${limits.cpu_percent} % over a minute`}
          points={history.map(([, , cpu]) => cpu)}
          top={limits.cpu_percent}
          unit="%"
          everyS={everyS}
        />
        <Chart
          title="Calls"
          value={String(plugin.command_count)}
          hint={plugin.command_count ? `p50 ${seconds(plugin.command_p50_time)}, p99 ${seconds(plugin.command_p99_time)}` : ""}
          points={calls}
          top={1}
          unit={`in ${everyS} s`}
          everyS={everyS}
        />
      </div>
      {plugin.over_limits.map((message) => (
        <p key={message} class="over" role="status">
          {message}
        </p>
      ))}
      <More plugin={plugin} channel={channel} />
    </li>
  );
}

function More({ plugin, channel }: { plugin: MeasuredPlugin; channel: Channel }): JSX.Element {
  const [crashes, setCrashes] = useState<CrashReport[]>([]);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (!open) return;
    channel.request<CrashReport[]>("crashes.list", { plugin: plugin.id }).then(setCrashes).catch(notifyError);
  }, [open, plugin.error_count]);
  const rows: [string, string][] = [
    ["Start", plugin.startup_time ? seconds(plugin.startup_time) : ""],
    ["Restarts", String(plugin.restarts)],
    ["Active", plugin.active_time ? seconds(plugin.active_time) : ""],
    ["Processor time", plugin.cpu_time ? seconds(plugin.cpu_time) : ""],
    ["Latency", latency(plugin)],
    ["Errors", String(plugin.error_count)],
    ["Last error", plugin.last_error],
    ["Limits met", plugin.resource_violations.join("\n")],
  ];
  return (
    <details class="details" data-testid={`activity-more-${plugin.id}`} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{summary(plugin)}</summary>
      <dl class="figures">
        {rows
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
      {crashes.map((crash) => (
        <Crash key={crash.name} crash={crash} />
      ))}
    </details>
  );
}

function Crash({ crash }: { crash: CrashReport }): JSX.Element {
  const running = crash.running?.map(({ call }) => call).join(", ");
  const versions = Object.entries(crash.versions ?? {}).filter(([, value]) => value);
  const ending = crash.exit?.signal ?? (crash.exit?.code != null ? `code ${crash.exit.code}` : "");
  const text = [
    [ending && `ended: ${ending}`, running && `running: ${running}`].filter(Boolean).join("; "),
    versions.map(([name, value]) => `${name} ${value}`).join(", "),
    crash.traceback ?? "",
    (crash.log ?? []).join("\n"),
  ];
  return (
    <details class="crash" data-testid="crash">
      <summary>
        <time dateTime={crash.at}>{crash.at ? new Date(crash.at).toLocaleString() : crash.name}</time> {crash.kind}: {crash.error}
      </summary>
      <pre tabIndex={0} aria-label="Crash report">
        {text.filter(Boolean).join("\n\n")}
      </pre>
    </details>
  );
}

function summary({ error_count, restarts }: MeasuredPlugin): string {
  const errors = error_count === 1 ? "1 error" : `${error_count} errors`;
  return restarts ? `${errors}, ${restarts === 1 ? "1 restart" : `${restarts} restarts`}` : error_count ? errors : "More";
}

function latency(plugin: MeasuredPlugin): string {
  if (!plugin.command_count) return "";
  const { command_avg_time: mean, command_p50_time: p50, command_p95_time: p95, command_p99_time: p99 } = plugin;
  return `mean ${seconds(mean)}, p50 ${seconds(p50)}, p95 ${seconds(p95)}, p99 ${seconds(p99)}`;
}

function seconds(value: number): string {
  if (value < 0.001) return `${Math.round(value * 1e6)} µs`;
  if (value < 1) return `${Number((value * 1e3).toPrecision(3))} ms`;
  if (value < 120) return `${value < 10 ? value.toFixed(1) : Math.round(value)} s`;
  const minutes = Math.round(value / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
