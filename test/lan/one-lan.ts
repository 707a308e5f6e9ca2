/** The host that watches in `test/containerlab/h-one-lan.clab.yml`, by its addresses there. */
export const OBSERVER = { ipv4: '192.0.2.30', ipv6: '2001:db8::30' } as const;
