import {
  boolYaml11Tag,
  defineScalarTag,
  mapTag,
  mergeTag,
  NOT_RESOLVED,
  nullCoreTag,
  Schema,
  seqTag,
  strTag,
} from 'js-yaml';

/**
 * The types kubectl gives to plain scalars (sigs.k8s.io/yaml, which reads YAML as go-yaml v2 does), so that a
 * manifest means here what it means in a cluster:
 * - the booleans of YAML 1.1 (`yes`, `no`, `on`, `off`, `y`, `n`);
 * - a leading zero is octal as in YAML 1.1, `0o` is octal too, and underscores in numbers are skipped;
 * - no base-60 numbers: with YAML 1.1's own rule the community `64496:10` would be the number 3869770;
 * - dates and times stay text, with or without `!!timestamp`.
 */
const INTEGER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const SPECIAL_FLOATS: ReadonlyMap<string, number> = new Map([
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((text) => [text, Infinity] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((text) => [text, -Infinity] as const),
  ...['.nan', '.NaN', '.NAN'].map((text) => [text, NaN] as const),
]);
const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

const intTag = defineScalarTag<number>('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: ['-', '+', ...DIGITS],
  resolve: (source) => {
    const plain = source.replaceAll('_', '');
    return INTEGER.test(plain) ? integerOf(plain) : NOT_RESOLVED;
  },
  identify: () => false,
});

const floatTag = defineScalarTag<number>('tag:yaml.org,2002:float', {
  implicit: true,
  implicitFirstChars: ['-', '+', '.', ...DIGITS],
  resolve: (source) => {
    const special = SPECIAL_FLOATS.get(source);
    if (special !== undefined) return special;
    const plain = source.replaceAll('_', '');
    return FLOAT.test(plain) ? Number(plain) : NOT_RESOLVED;
  },
  identify: () => false,
});

const timestampTag = defineScalarTag<string>('tag:yaml.org,2002:timestamp', {
  resolve: (source) => source,
  identify: () => false,
});

/** For reading only: its tags do not say how to write a value. */
export const MANIFEST_SCHEMA = new Schema([
  strTag,
  seqTag,
  mapTag,
  nullCoreTag,
  boolYaml11Tag,
  intTag,
  floatTag,
  timestampTag,
  mergeTag,
]);

function integerOf(plain: string): number {
  const negative = plain.startsWith('-');
  const digits = /^[-+]/.test(plain) ? plain.slice(1) : plain;
  const value = magnitudeOf(digits);
  return negative ? -value : value;
}

function magnitudeOf(digits: string): number {
  if (digits.length < 2 || !digits.startsWith('0')) return Number(digits);
  // Number() knows 0x, 0b and 0o, but reads a bare leading zero as decimal.
  return /^0[xXbBoO]/.test(digits) ? Number(digits) : Number.parseInt(digits, 8);
}
