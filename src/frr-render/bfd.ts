import type { BfdProfile } from '../config/index.ts';

/** Statements of one `profile` under `bfd` (FRR documentation, "BFD"); what is unset is left to bfdd's defaults. */
export function bfdProfileStatements(profile: BfdProfile): string[] {
  const values: readonly (readonly [string, number | undefined])[] = [
    ['detect-multiplier', profile.detectMultiplier],
    ['receive-interval', profile.receiveIntervalMs],
    ['transmit-interval', profile.transmitIntervalMs],
    ['echo receive-interval', profile.echoIntervalMs],
    ['echo transmit-interval', profile.echoIntervalMs],
    ['minimum-ttl', profile.minimumTtl],
  ];
  return [
    ...values.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`])),
    ...(profile.echoMode ? ['echo-mode'] : []),
    ...(profile.passiveMode ? ['passive-mode'] : []),
  ];
}
