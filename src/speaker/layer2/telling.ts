import type { GroupState, Layer2Group, Transition } from '../../l2/index.ts';
import type { Layer2Event, Layer2Options } from './options.ts';

/** Gives the function that tells people, in logs, Events and counters, what has become of a group. */
export function createTelling({
  me,
  logger,
  metrics,
  onEvent,
}: Pick<Layer2Options, 'me' | 'logger' | 'metrics' | 'onEvent'>): (transition: Transition) => void {
  const assigned: Layer2Event = {
    type: 'Normal',
    reason: 'nodeAssigned',
    message: `announcing from node "${me}" with protocol "layer2"`,
  };
  const post = ({ services }: Layer2Group, event: Layer2Event): void => {
    for (const { key } of services) onEvent(key, event);
  };
  const tellOwned = (group: Layer2Group, { claim }: GroupState & { kind: 'owned' }): void => {
    const { cause, from } = claim;
    metrics.moved(cause);
    logger.info({ ips: textsOf(group), cause, from }, 'answering for addresses');
    post(group, assigned);
  };
  const tellForeign = (group: Layer2Group): void => {
    const ips = textsOf(group);
    logger.warn({ ips }, 'a host that is no speaker uses the address');
    metrics.conflict('foreign');
    post(group, {
      type: 'Warning',
      reason: 'addressConflict',
      message: `a host that is no speaker uses ${ips.join(', ')}`,
    });
  };
  return ({ group, before, after, effect, joined = [] }) => {
    for (const service of joined) onEvent(service, assigned);
    if (after.kind === 'owned' && before.kind !== 'owned') {
      // What was only in doubt, or was this node's before it started again, has not moved.
      if (after.claim.since === undefined || before.kind !== 'probing') tellOwned(group, after);
    } else if (before.kind === 'owned' && after.kind === 'owned' && after.insistedAt !== before.insistedAt) {
      const other = after.superseded?.node;
      logger.warn({ ips: textsOf(group), other }, 'kept: the other took them where clients are not');
    } else if (before.kind === 'owned' && (after.kind === 'idle' || after.kind === 'waiting')) {
      logger.info({ ips: textsOf(group), now: after.kind }, 'no longer answering for addresses');
    }
    if (effect === 'conflict-kept' || effect === 'conflict-yielded') {
      logger.warn({ ips: textsOf(group), effect }, 'another speaker had the address too');
      metrics.conflict('speaker');
    } else if (effect === 'foreign') tellForeign(group);
  };
}

function textsOf({ ips }: Layer2Group): string[] {
  return ips.map(({ text }) => text);
}
