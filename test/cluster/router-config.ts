import { LAN, type RouterPlan } from './plan.ts';

export const ROUTERS = ['frr', 'bird'] as const;
export type RouterKind = (typeof ROUTERS)[number];

/** The router's; nodes may have any other. */
export const ROUTER_ASN = 64_500;
const MAX_PATHS = 16;
/** Intervals of BFD in milliseconds, for nodes that ask for BFD. */
const BFD_MS = 50;

/**
 * A router that takes eBGP sessions from whoever is on the LAN, in both families over either, with BFD for those who have it,
 * and announces nothing.
 */
export function renderFrrConf(router: RouterPlan): string {
  return `hostname ${router.name}
!
router bgp ${ROUTER_ASN}
 bgp router-id ${router.ipv4}
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 bgp bestpath as-path multipath-relax
 neighbor NODES peer-group
 neighbor NODES remote-as external
 neighbor NODES bfd
 neighbor NODES bfd profile fast
 bgp listen limit 100
 bgp listen range ${LAN.ipv4} peer-group NODES
 bgp listen range ${LAN.ipv6} peer-group NODES
 !
 address-family ipv4 unicast
  neighbor NODES activate
  maximum-paths ${MAX_PATHS}
 exit-address-family
 !
 address-family ipv6 unicast
  neighbor NODES activate
  maximum-paths ${MAX_PATHS}
 exit-address-family
exit
!
bfd
 profile fast
  receive-interval ${BFD_MS}
  transmit-interval ${BFD_MS}
  detect-multiplier 3
 exit
exit
`;
}

/** The same router as a BIRD 2. */
export function renderBirdConf(router: RouterPlan): string {
  const kernel = (family: 'ipv4' | 'ipv6'): string => `
protocol kernel kernel_${family} {
  merge paths yes limit ${MAX_PATHS};
  ${family} {
    import none;
    export where source = RTS_BGP;
  };
}
`;
  const nodes = (family: 'ipv4' | 'ipv6'): string => `
protocol bgp nodes_${family} from node {
  local ${router[family]} as ${ROUTER_ASN};
  neighbor range ${LAN[family]} external;
  dynamic name "node_${family}_";
}
`;
  return `log stderr { info, warning, error, fatal, remote, auth };
router id ${router.ipv4};

protocol device {
}

protocol direct {
  ipv4;
  ipv6;
}

protocol bfd {
  interface "eth0" {
    interval ${BFD_MS} ms;
    multiplier 3;
  };
}

template bgp node {
  bfd on;
  ipv4 {
    import all;
    export none;
  };
  ipv6 {
    import all;
    export none;
  };
}
${kernel('ipv4')}${kernel('ipv6')}${nodes('ipv4')}${nodes('ipv6')}`;
}
