import { createHash } from 'node:crypto';
import { compareText } from '../core/order.ts';
import type { BgpDesiredState, BgpRouter, Treatment } from '../reconciler/index.ts';

/**
 * A treatment as FRR carries it: the route-map `name` sets `tag` on the prefixes originated with it, and each
 * neighbor's outbound route-map permits the tags that neighbor may receive. One `network` line is then all that a
 * prefix costs, and a prefix without a tag is never sent.
 */
export interface TreatmentClass {
  readonly treatment: Treatment;
  readonly tag: number;
  readonly name: string;
}

/** Tags 4026531840 to 4294967295 (0xf0000000 and up) are ours; extras of the user must stay below. */
const TAG_BASE = 0xf000_0000;
const TAG_COUNT = 0x1000_0000;

/**
 * Gives every treatment its tag. The tag comes from the treatment's content, so a class keeps its name while others
 * come and go, and a changed treatment is a new class: prefixes move to it one `network` line at a time, and no
 * route-map in use is edited (which FRR would act on only after `bgp route-map delay-timer`).
 */
export function treatmentClasses(bgp: BgpDesiredState): ReadonlyMap<string, TreatmentClass> {
  const treatments = new Map<string, Treatment>();
  for (const treatment of bgp.routers.flatMap(treatmentsIn)) treatments.set(treatment.key, treatment);
  const classes = new Map<string, TreatmentClass>();
  const taken = new Set<number>();
  for (const treatment of [...treatments.values()].sort((a, b) => compareText(a.key, b.key))) {
    let slot = createHash('sha256').update(treatment.key).digest().readUInt32BE(0) % TAG_COUNT;
    while (taken.has(slot)) slot = (slot + 1) % TAG_COUNT;
    taken.add(slot);
    const tag = TAG_BASE + slot;
    classes.set(treatment.key, { treatment, tag, name: `advertise-${tag.toString(16)}` });
  }
  return classes;
}

/** Each treatment that a router's prefixes have, once. */
export function treatmentsIn({ originated }: BgpRouter): readonly Treatment[] {
  const treatments = new Map<string, Treatment>();
  let last: Treatment | undefined;
  for (const { treatment } of originated) {
    // Prefixes share the object, and most stand beside others of the same.
    if (treatment === last) continue;
    last = treatment;
    treatments.set(treatment.key, treatment);
  }
  return [...treatments.values()];
}

/** The class of a treatment that {@link treatmentClasses} has seen. */
export function classOf(treatment: Treatment, classes: ReadonlyMap<string, TreatmentClass>): TreatmentClass {
  const found = classes.get(treatment.key);
  if (!found) throw new Error(`no class for the treatment ${treatment.key}`);
  return found;
}
