/** A BGP community (RFC 1997) or large community (RFC 8092). `text` is canonical: `a:b` or `large:a:b:c`. */
export type Community =
  | { readonly kind: 'standard'; readonly high: number; readonly low: number; readonly text: string }
  | {
      readonly kind: 'large';
      readonly global: number;
      readonly local1: number;
      readonly local2: number;
      readonly text: string;
    };

const MAX_U16 = 0xffff;
const MAX_U32 = 0xffffffff;

export type CommunityParse =
  | { readonly ok: true; readonly community: Community }
  /** `format`: not shaped like a community, so it may be an alias; `value`: shaped like one, with a bad number. */
  | { readonly ok: false; readonly fault: 'format' | 'value' };

/** Parses `u16:u16` or `large:u32:u32:u32`. */
export function parseCommunity(text: string): CommunityParse {
  const fields = text.split(':');
  if (fields.length === 2) {
    const [high, low] = fields.map((field) => parseUnsigned(field, MAX_U16));
    if (high === undefined || low === undefined) return { ok: false, fault: 'value' };
    return { ok: true, community: { kind: 'standard', high, low, text: `${String(high)}:${String(low)}` } };
  }
  if (fields.length === 4) {
    const [global, local1, local2] = fields.slice(1).map((field) => parseUnsigned(field, MAX_U32));
    if (fields[0] !== 'large' || global === undefined || local1 === undefined || local2 === undefined) {
      return { ok: false, fault: 'value' };
    }
    const numbers = `${String(global)}:${String(local1)}:${String(local2)}`;
    return { ok: true, community: { kind: 'large', global, local1, local2, text: `large:${numbers}` } };
  }
  return { ok: false, fault: 'format' };
}

/** Ascending; a standard community compares as the large one `(high << 16) + low : 0 : 0`. */
export function compareCommunity(a: Community, b: Community): number {
  const [x, y] = [asTriple(a), asTriple(b)];
  return (
    x[0] - y[0] || x[1] - y[1] || x[2] - y[2] || (a.kind === b.kind ? 0 : a.kind === 'standard' ? -1 : 1)
  );
}

function asTriple(community: Community): readonly [number, number, number] {
  return community.kind === 'standard'
    ? [community.high * 0x10000 + community.low, 0, 0]
    : [community.global, community.local1, community.local2];
}

function parseUnsigned(text: string, max: number): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}
