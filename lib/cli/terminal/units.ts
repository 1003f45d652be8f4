/**
 * Sizes and durations as `rerun` takes them, and back to text for people.
 *
 * @module
 */
import { plural } from "../../base/plural.ts";

const SIZE_UNITS: Readonly<Record<string, number>> = {
  TiB: 2 ** 40,
  GiB: 2 ** 30,
  MiB: 2 ** 20,
  KiB: 2 ** 10,
  TB: 1e12,
  GB: 1e9,
  MB: 1e6,
  kB: 1e3,
  B: 1,
};

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1e-3, s: 1, m: 60, h: 3600 };

/**
 * Bytes in a text such as `256MiB`, `16GB` or `1.5GiB`.
 *
 * Case counts, as in Rerun's `re_format::parse_bytes`, since `Mb` means megabits; fractions are
 * taken too.
 *
 * @param text number and unit without a space
 * @returns whole bytes, above 0
 * @throws {RangeError} with what is expected instead
 */
export function parseSize(text: string): number {
  const bytes = Math.round(parseWithUnit(text, SIZE_UNITS, "a size", "256MiB or 1.5GB"));
  if (bytes < 1) throw new RangeError("expected a size above 0, such as 256MiB");
  if (!Number.isSafeInteger(bytes)) throw new RangeError("expected a size below 8192TiB");
  return bytes;
}

/**
 * Seconds in a text such as `200ms`, `10s`, `1.5m` or `1h`, as in Rerun's `re_format::parse_duration`.
 *
 * @param text number and unit without a space
 * @returns seconds, above 0
 * @throws {RangeError} with what is expected instead
 */
export function parseDuration(text: string): number {
  const seconds = parseWithUnit(text, DURATION_UNITS, "a duration", "200ms or 10s");
  if (seconds <= 0) throw new RangeError("expected a duration above 0, such as 200ms");
  if (!Number.isFinite(seconds)) throw new RangeError("expected a shorter duration, such as 10s");
  return seconds;
}

function parseWithUnit(
  text: string,
  units: Readonly<Record<string, number>>,
  what: string,
  examples: string,
): number {
  const [, digits, unit = ""] = /^(\d+\.?\d*|\.\d+)([^\d.]*)$/.exec(text) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (digits !== undefined && factor !== undefined) return Number(digits) * factor;
  const meant = Object.keys(units).find((u) => u.toLowerCase() === unit.toLowerCase());
  throw new RangeError(
    digits !== undefined && meant !== undefined
      ? `unknown unit ${unit}; write ${digits}${meant}`
      : `expected ${what}: a number and one of ${
        Object.keys(units).reverse().join(", ")
      }, such as ${examples}`,
  );
}

/**
 * A size as {@linkcode parseSize} reads it again, exactly, such as `256MiB`.
 *
 * @param bytes whole, above 0
 */
export function sizeText(bytes: number): string {
  return shortestText(bytes, SIZE_UNITS);
}

/**
 * A duration as {@linkcode parseDuration} reads it again, exactly, such as `200ms` or `1h`.
 *
 * @param seconds whole milliseconds, above 0
 */
export function durationText(seconds: number): string {
  return shortestText(seconds, DURATION_UNITS);
}

function shortestText(value: number, units: Readonly<Record<string, number>>): string {
  const texts = Object.entries(units)
    .filter(([, factor]) => Number.isInteger(value / factor))
    .map(([unit, factor]) => `${value / factor}${unit}`);
  return texts.reduce((best, text) => text.length < best.length ? text : best);
}

/**
 * Bytes for people, in three digits and decimal units, such as `17 B`, `1.02 kB`, `115 MB`.
 *
 * @param bytes 0 or more
 */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  const units = ["kB", "MB", "GB", "TB", "PB"];
  let value = bytes / 1000;
  let unit = 0;
  // 999.5 already shows as 1000.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${threeDigits(value)} ${units[unit]}`;
}

/** A count with thousands separated, such as `1,234,567`. */
export function formatCount(count: number): string {
  return Math.round(count).toString().replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** As `plural`, with thousands separated, such as `1,234 messages`. */
export function formatPlural(count: number, noun: string, many?: string): string {
  return plural(count, noun, many).replace(/^\d+/, (digits) => formatCount(Number(digits)));
}

/**
 * A duration for people, such as `0 ms`, `140 ms`, `3.2 s`, `4 min 10 s` or `2 h 5 min`.
 *
 * @param seconds 0 or more
 */
export function formatDuration(seconds: number): string {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`;
}

function threeDigits(value: number): string {
  return value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0);
}
