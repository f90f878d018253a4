// What each plugin's processes use, over the last minutes, and how it failed.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import type { Channel } from "../channel.ts";
import { dateTime, list, number, t } from "../i18n.ts";
import { notifyError } from "../shell/toasts.tsx";
import { type CrashReport, HostError, type Measured, type MeasuredPlugin } from "../wire.ts";
import { stateWords } from "../words.ts";
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
        <h1>{t("activity.title")}</h1>
        <p>{t("activity.lead", { seconds: measured?.every_s ?? 5 })}</p>
      </header>
      {measured?.plugins.length === 0 && <p class="quiet">{t("activity.none")}</p>}
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
  const memoryHint = plugin.memory_kind === "rss" ? "activity.memory_shared" : "activity.memory_hint";
  const calls = history.map(([, , , count]) => count);
  return (
    <li class="activity" data-testid="activity" data-id={id} data-state={plugin.state}>
      <h2>
        {id} <span class="version">{plugin.version}</span>
        <span class={`state ${plugin.enabled ? plugin.state : "disabled"}`}>
          <span class="dot" aria-hidden="true" />
          {list([stateWords(plugin.enabled ? plugin.state : "disabled"), ...(plugin.throttled ? [t("activity.held")] : [])])}
        </span>
      </h2>
      <div class="charts">
        <Chart
          title={t("activity.memory")}
          value={running ? t("activity.megabytes", { amount: Math.round(plugin.memory_usage_mb) }) : t("activity.not_running")}
          hint={t(memoryHint, { limit: limits.memory_mb })}
          points={history.map(([, memory]) => memory)}
          top={limits.memory_mb}
          unit="MB"
          everyS={everyS}
        />
        <Chart
          title={t("activity.processor")}
          value={running ? t("activity.percent", { amount: Math.round(plugin.cpu_percent) }) : t("activity.not_running")}
          hint={t("activity.processor_hint", { limit: limits.cpu_percent })}
          points={history.map(([, , cpu]) => cpu)}
          top={limits.cpu_percent}
          unit="%"
          everyS={everyS}
        />
        <Chart
          title={t("activity.calls")}
          value={number(plugin.command_count)}
          hint={plugin.command_count ? t("activity.calls_hint", { p50: seconds(plugin.command_p50_time), p99: seconds(plugin.command_p99_time) }) : ""}
          points={calls}
          top={1}
          unit={t("activity.in_seconds", { seconds: everyS })}
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
    [t("activity.start"), plugin.startup_time ? seconds(plugin.startup_time) : ""],
    [t("activity.restarts"), number(plugin.restarts)],
    [t("activity.active"), plugin.active_time ? seconds(plugin.active_time) : ""],
    [t("activity.processor_time"), plugin.cpu_time ? seconds(plugin.cpu_time) : ""],
    [t("activity.latency"), latency(plugin)],
    [t("activity.errors"), number(plugin.error_count)],
    [t("activity.last_error"), plugin.last_error],
    [t("activity.limits_met"), plugin.resource_violations.join("\n")],
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
  const ending = crash.exit?.signal ?? (crash.exit?.code != null ? t("terminal.ended_code", { code: String(crash.exit.code) }) : "");
  const text = [
    [ending, running && t("activity.crash.running", { calls: running })].filter(Boolean).join("; "),
    versions.map(([name, value]) => `${name} ${value}`).join(", "),
    crash.traceback ?? "",
    (crash.log ?? []).join("\n"),
  ];
  return (
    <details class="crash" data-testid="crash">
      <summary>
        <time dateTime={crash.at}>{crash.at ? dateTime(new Date(crash.at)) : crash.name}</time> {crash.kind}: {crash.error}
      </summary>
      <pre tabIndex={0} aria-label={t("activity.crash.label")} dir="ltr">
        {text.filter(Boolean).join("\n\n")}
      </pre>
    </details>
  );
}

function summary({ error_count, restarts }: MeasuredPlugin): string {
  if (restarts) return t("activity.summary", { errors: error_count, restarts });
  return error_count ? t("activity.summary_errors", { errors: error_count }) : t("activity.more");
}

function latency(plugin: MeasuredPlugin): string {
  if (!plugin.command_count) return "";
  const { command_avg_time: mean, command_p50_time: p50, command_p95_time: p95, command_p99_time: p99 } = plugin;
  return t("activity.mean", { mean: seconds(mean), p50: seconds(p50), p95: seconds(p95), p99: seconds(p99) });
}

function seconds(value: number): string {
  if (value < 0.001) return t("time.microseconds", { amount: Math.round(value * 1e6) });
  if (value < 1) return t("time.milliseconds", { amount: Number((value * 1e3).toPrecision(3)) });
  if (value < 120) return t("time.seconds", { amount: value < 10 ? Number(value.toFixed(1)) : Math.round(value) });
  const minutes = Math.round(value / 60);
  return minutes < 120 ? t("time.minutes", { minutes }) : t("time.hours", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}
