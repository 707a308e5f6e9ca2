import { pino } from 'pino';
import { expect, test } from 'vitest';
import { metricSamples } from '../../src/bfd-status/index.ts';
import { startObserver } from '../../src/speaker/observer.ts';
import { configure } from '../frr-json/lab.ts';
import { atEnd, describeWithFrr, eventually, startTestFrr } from '../support/index.ts';
import { vtyshOf } from './node.ts';

/** `peer value` of the sessions that metrics would show. */
function sessions(state: Parameters<typeof metricSamples>[0]): string[] {
  return metricSamples(state)
    .filter(({ name }) => name === 'metallb_bgp_session_up')
    .map(({ labels, value }) => `${labels.peer} ${value}`);
}

describeWithFrr('what is observed', (install) => {
  test('is as of now for those who ask, and nothing when FRR is gone', async () => {
    const frr = await startTestFrr({ install });
    const end = new AbortController();
    const observer = startObserver({
      vtysh: vtyshOf(frr),
      logger: pino({ level: 'silent' }),
      signal: end.signal,
      onObserved: () => undefined,
    });
    atEnd(async () => {
      end.abort();
      await observer.idle();
    });
    expect(sessions(await observer.refreshed())).toEqual([]);

    // FRR's monitor says nothing of a peer that is only configured.
    await configure(frr, ['router bgp 64496', 'neighbor 192.0.2.1 remote-as 64497']);
    await eventually(async () => {
      expect(sessions(await observer.refreshed())).toEqual(['192.0.2.1:179 0']);
    });

    await frr.stop();
    // As the speaker says when it sees the sockets go: the vtysh that knew the daemons is given up.
    observer.frrRestarted();
    await eventually(async () => {
      expect(sessions(await observer.refreshed())).toEqual([]);
    });
  });
});
