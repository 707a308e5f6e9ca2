import { z } from 'zod';
import type { FieldPath } from '../core/field-path.ts';
import { isComplete, readFields } from './field-reader.ts';
import { invalid, shown, type Finding, type Reading } from './finding.ts';
import type { BFDProfileSpec } from './objects.ts';

/** The ranges are bfdd's, for both the current kind and the legacy ConfigMap. */
const intervalMs = z.int().min(10).max(60_000).meta({ format: 'int32' });
export const bfdFields = {
  receiveInterval: intervalMs
    .exactOptional()
    .describe('the least interval between control packets that this side can take, in milliseconds'),
  transmitInterval: intervalMs
    .exactOptional()
    .describe('the least interval between control packets that this side wants to send, in milliseconds'),
  detectMultiplier: z
    .int()
    .min(2)
    .max(255)
    .meta({ format: 'int32' })
    .exactOptional()
    .describe('how many packets in a row may be lost before the session is down'),
  echoInterval: intervalMs.exactOptional().describe('the interval of echo packets, in milliseconds'),
  echoMode: z
    .boolean()
    .default(false)
    .describe('whether echo packets are sent; not for multihop sessions and not with IPv6 pools'),
  passiveMode: z.boolean().default(false).describe('whether this side waits for the peer to send first'),
  minimumTtl: z
    .int()
    .min(1)
    .max(254)
    .meta({ format: 'int32' })
    .exactOptional()
    .describe('the lowest TTL that a control packet of a multihop session may arrive with'),
} as const;

export const bfdProfileSchema = z.strictObject(bfdFields);

export function readBFDProfile(raw: unknown): Reading<BFDProfileSpec> {
  const reading = readFields(bfdProfileSchema, raw, ['spec']);
  return isComplete(reading)
    ? { value: reading.values, findings: reading.findings }
    : { findings: reading.findings };
}

/** FRR's bound on the name of a profile (BFD_PROFILE_NAME_LEN; a 65th character is refused by 8.4 and 10.3). */
const NAME_MAX_LENGTH = 64;

export function profileNameFindings(name: string, path: FieldPath): Finding[] {
  return name.length <= NAME_MAX_LENGTH
    ? []
    : [
        invalid(
          path,
          `${shown(name)}: must have at most ${String(NAME_MAX_LENGTH)} characters, FRR's limit for a BFD profile`,
        ),
      ];
}
