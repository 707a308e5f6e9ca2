import { changedMiddle } from '../core/changed-middle.ts';
import type { IpFamily } from '../core/ip.ts';
import type { BgpRouter, OriginatedPrefix } from '../reconciler/index.ts';
import { classOf, type TreatmentClass } from './treatment-class.ts';

type Classes = ReadonlyMap<string, TreatmentClass>;

/** The `network` statements of one router by address family, sorted by prefix, each a line with its end. */
export type NetworkLines = Readonly<Record<IpFamily, string>>;

/** What one router originates, and what was written for it. */
interface Written {
  readonly originated: readonly OriginatedPrefix[];
  readonly lines: NetworkLines;
}

/** As deep as FRR prints them. */
const INDENT = '  ';
const NOTHING: Written = { originated: [], lines: { ipv4: '', ipv6: '' } };

/**
 * Gives the function that writes the `network` statements of all routers, by VRF. It remembers those of its last call
 * and exchanges the lines that differ: one prefix more costs one line, however many there are.
 */
export function createNetworkLines(): (
  routers: readonly BgpRouter[],
  classes: Classes,
) => ReadonlyMap<string, NetworkLines> {
  let names = '';
  let written: ReadonlyMap<string, Written> = new Map();
  return (routers, classes) => {
    const called = JSON.stringify([...classes.values()].map(({ treatment, name }) => [treatment.key, name]));
    const known = called === names ? written : new Map<string, Written>();
    names = called;
    written = new Map(
      routers.map(({ vrf, originated }) => {
        const before = known.get(vrf) ?? NOTHING;
        const ofFamily = (family: IpFamily): string => linesAfter(before, { originated, classes, family });
        return [vrf, { originated, lines: { ipv4: ofFamily('ipv4'), ipv6: ofFamily('ipv6') } }];
      }),
    );
    return new Map([...written].map(([vrf, { lines }]) => [vrf, lines]));
  };
}

function linesAfter(
  before: Written,
  options: {
    readonly originated: readonly OriginatedPrefix[];
    readonly classes: Classes;
    readonly family: IpFamily;
  },
): string {
  const { originated, classes, family } = options;
  const text = before.lines[family];
  const { start, removed, added } = changedMiddle(before.originated, originated);
  const lines = (prefixes: readonly OriginatedPrefix[]): string =>
    prefixes
      .filter(({ prefix }) => prefix.family === family)
      .map((each) => `${wordsOf(each)}${classOf(each.treatment, classes).name}\n`)
      .join('');
  const [gone, come] = [lines(removed), lines(added)];
  if (gone === come) return text;
  const at = endOf(originated[start - 1], text, family);
  return text.slice(0, at) + come + text.slice(at + gone.length);
}

/** Where the line of a prefix ends in the text of a family; 0 when it is of the other one, which comes first. */
function endOf(each: OriginatedPrefix | undefined, text: string, family: IpFamily): number {
  if (each?.prefix.family !== family) return 0;
  return text.indexOf('\n', text.indexOf(wordsOf(each))) + 1;
}

function wordsOf({ prefix }: OriginatedPrefix): string {
  return `${INDENT}network ${prefix.text} route-map `;
}
