// Writes src/template/filter/locale/table.rs from the CLDR data in Node's ICU: `node scripts/locales.mjs`.
// What it derives is checked against Intl before it is written; amounts, but for marks of direction.
import { writeFileSync } from "node:fs";

const LOCALES =
  "ar bg cs da de de-AT de-CH el en en-AU en-CA en-GB en-IN es es-AR es-MX fi fr fr-CA fr-CH he hi hu id it ja ko nb nl pl pt pt-PT ro ru sk sv th tr uk vi zh zh-TW".split(" ");
const CURRENCIES =
  "AED AUD BGN BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF IDR ILS INR JPY KRW MXN NOK NZD PLN RON RUB SEK SGD THB TRY TWD UAH USD VND ZAR".split(" ");
const STYLES = ["short", "medium", "long", "full"];
const quote = (text) => '"' + [...text].map((c) => (c === '"' || c === "\\" ? "\\" + c : /[\p{Z}\p{C}]/u.test(c) && c !== " " ? `\\u{${c.codePointAt(0).toString(16)}}` : c)).join("") + '"';
const utc = (month, day) => new Date(Date.UTC(2024, month, day));
const sample = utc(2, 5);

const dates = (locale, style) => new Intl.DateTimeFormat(locale, { dateStyle: style, calendar: "gregory", numberingSystem: "latn", timeZone: "UTC" });
const part = (format, date, type) => format.formatToParts(date).find((it) => it.type === type)?.value;
const names = (format, type, days) => days.map((date) => part(format, date, type));
const literal = (text) => (/[a-zA-Z']/.test(text) ? "'" + text.replaceAll("'", "''") + "'" : text);

function datePattern(locale, style) {
  return dates(locale, style).formatToParts(sample).map(({ type, value }) => {
    if (type === "year") return value.length === 2 ? "yy" : "y";
    if (type === "month") return /^\d+$/.test(value) ? (value.length === 2 ? "MM" : "M") : style === "medium" || style === "short" ? "MMM" : "MMMM";
    if (type === "day") return value.length === 2 ? "dd" : "d";
    if (type === "weekday") return "EEEE";
    if (type === "era") return literal(value);
    return literal(value);
  }).join("");
}

function row(tag) {
  const plain = new Intl.NumberFormat(tag, { numberingSystem: "latn" });
  const money = (value, currency) => new Intl.NumberFormat(tag, { style: "currency", currency, numberingSystem: "latn" }).formatToParts(value);
  const of = (parts, type) => parts.find((it) => it.type === type)?.value;
  const number = plain.formatToParts(-12345678.5);
  const groups = number.filter((it) => it.type === "integer").map((it) => it.value.length);
  const indian = groups.join() === "1,2,2,3";
  if (!indian && groups.join() !== "2,3,3") throw new Error(`${tag}: groups of ${groups}`);
  const minGrouping = plain.formatToParts(1234).some((it) => it.type === "group") ? 1 : 2;
  const moneyGroup = of(money(12345.5, "EUR"), "group"), moneyDecimal = of(money(12345.5, "EUR"), "decimal");
  const pattern = (value, currency) => money(value, currency).map(({ type, value }) =>
    type === "currency" ? "¤" : type === "minusSign" ? "-" : type === "literal" ? value : type === "integer" ? "0" : "").join("").replace(/0+/, "0");
  const symbol = (currency) => of(money(1, currency), "currency");
  const signed = CURRENCIES.filter((it) => symbol(it) !== it);
  // Symbols and codes can have different patterns: a code has a space around it.
  const bySymbol = [pattern(12345.5, signed.includes("EUR") ? "EUR" : (signed[0] ?? "EUR")), pattern(-12345.5, signed.includes("EUR") ? "EUR" : (signed[0] ?? "EUR"))];
  const byCode = [pattern(12345.5, "XAF"), pattern(-12345.5, "XAF")];
  const long = dates(tag, "long"), medium = dates(tag, "medium"), full = dates(tag, "full");
  const months = [...Array(12).keys()].map((month) => utc(month, 5));
  const week = [...Array(7).keys()].map((day) => utc(2, 3 + day)); // the 3rd is a Sunday
  const isName = (text) => !/^\d+$/.test(text);
  const wide = names(long, "month", months), short = names(medium, "month", months);
  return {
    tag, indian, minGrouping,
    group: of(number, "group"), decimal: of(number, "decimal"), minus: of(number, "minusSign"),
    moneyGroup, moneyDecimal,
    symbols: signed.map((it) => it + symbol(it)),
    money: bySymbol, coded: byCode,
    dates: STYLES.map((style) => datePattern(tag, style)),
    months: isName(wide[0]) ? wide : [], short: isName(short[0]) ? short : [],
    week: names(full, "weekday", week),
  };
}

function render(pattern, r, date) {
  return pattern.replace(/'((?:[^']|'')*)'|y+|M+|d+|E+/g, (it, text) => {
    if (text !== undefined) return text.replaceAll("''", "'");
    const pad = (n) => String(n).padStart(it.length, "0");
    if (it === "yy") return String(date.getUTCFullYear()).slice(2);
    if (it[0] === "y") return String(date.getUTCFullYear());
    if (it === "MMMM") return r.months[date.getUTCMonth()];
    if (it === "MMM") return r.short[date.getUTCMonth()];
    if (it[0] === "M") return pad(date.getUTCMonth() + 1);
    if (it[0] === "d") return pad(date.getUTCDate());
    return r.week[date.getUTCDay()];
  });
}

const rows = LOCALES.map(row);
for (const r of rows) {
  STYLES.forEach((style, index) => {
    for (let day = 0; day < 366; day += 1) {
      const date = utc(0, 1 + day);
      const expected = dates(r.tag, style).formatToParts(date).map((it) => it.value).join(""), got = render(r.dates[index], r, date);
      if (expected !== got) throw new Error(`${r.tag} ${style}: ${got}, not ${expected}`);
    }
  });
  for (const currency of CURRENCIES) {
    const symbol = r.symbols.find((it) => it.startsWith(currency))?.slice(3) ?? currency;
    for (const [index, value] of [1234567, -1234567].entries()) {
      const digits = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
      const grouped = r.indian ? "12,34,567" : "1,234,567";
      const number = grouped.replaceAll(",", r.moneyGroup) + (digits ? r.moneyDecimal + "0".repeat(digits) : "");
      // Between a letter and a digit stands a space.
      const leads = r.money[0].indexOf("¤") < r.money[0].indexOf("0");
      const lettered = leads ? /\p{L}$/u.test(symbol) : /^\p{L}/u.test(symbol);
      const pattern = (lettered ? r.coded : r.money)[index];
      const got = pattern.replace("-", r.minus).replace("0", number).replace("¤", () => symbol);
      const expected = new Intl.NumberFormat(r.tag, { style: "currency", currency, numberingSystem: "latn" }).format(value);
      const bare = (text) => text.replace(/[\u200e\u200f]/g, "");
      if (bare(got) !== bare(expected)) throw new Error(`${r.tag} ${currency}: ${JSON.stringify(got)}, not ${JSON.stringify(expected)}`);
    }
  }
}
const list = (items) => `&[${items.map(quote).join(", ")}]`;
const joined = (items) => quote(items.join(";"));
const body = rows.map((r) => `    Locale {
        tag: ${quote(r.tag)},
        group: ${quote(r.group)},
        decimal: ${quote(r.decimal)},
        minus: ${quote(r.minus)},
        money_group: ${quote(r.moneyGroup)},
        money_decimal: ${quote(r.moneyDecimal)},
        min_grouping: ${r.minGrouping},
        indian: ${r.indian},
        money: [${r.money.map(quote).join(", ")}],
        coded: [${r.coded.map(quote).join(", ")}],
        symbols: ${joined(r.symbols)},
        dates: [${r.dates.map(quote).join(", ")}],
        months: ${joined(r.months)},
        short_months: ${joined(r.short)},
        weekdays: ${joined(r.week)},
    },
`).join("");
const zero = Intl.supportedValuesOf("currency").map((currency) => [currency, new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits]).filter(([, digits]) => digits !== 2);
writeFileSync(new URL("../src/template/filter/locale/table.rs", import.meta.url), `//! CLDR ${process.versions.cldr}, by \`node scripts/locales.mjs\`; not edited by hand.

use super::Locale;

/// Sorted by tag.
#[rustfmt::skip]
pub(super) const LOCALES: &[Locale] = &[
${body}];

/// Currencies whose amounts have not two decimals.
#[rustfmt::skip]
pub(super) const DECIMALS: &[(&str, usize)] = &[
    ${zero.map(([code, digits]) => `(${quote(code)}, ${digits})`).join(", ")},
];
`);
