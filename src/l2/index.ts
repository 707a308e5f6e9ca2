/**
 * Layer 2: what is on the wire (Ethernet, ARP, Neighbor Discovery), and which node answers for an address.
 *
 * Decides whether a frame is answered, on which interfaces, who owns an address, and when it is announced. Never opens a
 * socket, reads a clock or writes a record: bytes, times and what others said come as arguments.
 */
export {
  announcedTable,
  type AddressUse,
  type AnnouncedEntry,
  type AnnouncedTable,
  type TableAddress,
} from './announced-table.ts';
export {
  announcementFrames,
  ANNOUNCEMENT_TIMES,
  NOTHING_ANNOUNCED,
  takeDue,
  withAnnounced,
  withDefended,
  withLinkReturned,
  type Announced,
  type AnnouncementSchedule,
  type DueAnnouncements,
} from './announcement-schedule.ts';
export {
  arpAnnouncements,
  arpProbe,
  encodeArp,
  encodeArpReply,
  encodeArpRequest,
  type ArpPacket,
} from './arp.ts';
export { internetChecksum } from './checksum.ts';
export { drop, DROP_REASONS, type Drop, type DropReason } from './drop.ts';
export { decodeFrame, type Decoded } from './frame.ts';
export { NOTHING_EXCLUDED, parseLinkExclusion, type LinkExclusion } from './link-exclusion.ts';
export {
  describeUnused,
  linkLocalOf,
  linksFor,
  linkTable,
  unusedLinks,
  type LinkRequest,
  type LinkTable,
  type UnusedLink,
  type UnusedReason,
} from './link-selection.ts';
export {
  ipKey,
  ipOfKey,
  ipv6Key,
  solicitedNodeGroup,
  type IpKey,
  type Ipv4Key,
  type Ipv6Key,
} from './ip-key.ts';
export {
  isStationMac,
  macFromBytes,
  macNumber,
  macOfNumber,
  macToBytes,
  parseMac,
  type MacAddress,
  type MacNumber,
} from './mac.ts';
export {
  encodeAdvertisement,
  encodeNa,
  encodeNs,
  encodeSolicitation,
  macOfGroup,
  type NeighborAdvertisement,
  type NeighborSolicitation,
} from './ndp.ts';
export { verdictFor, type Answer, type ClaimKind, type HeardClaim, type Verdict } from './verdict.ts';
export {
  isNewer,
  MOVE_ANNOTATION,
  readOwnership,
  readSpeaker,
  serviceL2StatusName,
  SPEAKER_ANNOTATION,
  speakerLeaseName,
  speakerText,
  statusOfOwnership,
  type ServiceL2StatusFields,
} from './documents.ts';
export { isAmongOthers, isBesideGateway, isCutOff, type LanSigns } from './isolation.ts';
export { createHeartbeats, type Heartbeat, type Heartbeats } from './heartbeats.ts';
export { firstHeld, isSameView, ownershipsOf } from './view.ts';
export { livesAt, type WrittenLayer2, type WrittenSpeaker } from './written.ts';
export {
  MAX_HISTORY,
  MOVE_CAUSES,
  type Layer2Store,
  type Layer2View,
  type Link,
  type LinkAddress,
  type Move,
  type MoveCause,
  type OwnershipRecord,
  type SpeakerLink,
  type SpeakerRecord,
  type SpeakerSeen,
} from './types.ts';
export {
  addressHash,
  choiceOrder,
  RUNNERS_UP,
  runnersUp,
  standsBefore,
  succession,
  type Candidate,
} from './election.ts';
export { createGrouping, type Layer2Group, type Layer2Service } from './group.ts';
export {
  ASK_AGAIN_MS,
  ASK_EVERY_MS,
  ASK_FELLOW_EVERY_MS,
  healthOf,
  MISSES_TO_SILENCE,
  NO_EVIDENCE,
  withAnswer,
  withBfd,
  withMiss,
  withoutWatch,
  type Evidence,
} from './liveness.ts';
export {
  afterHearing,
  doubted,
  dueAt,
  nextState,
  OWNERSHIP_TIMES,
  type Claim,
  type GroupFacts,
  type GroupState,
  type HandOver,
  type Heard,
  type HeardEffect,
  type Owned,
  type OwnerHealth,
  type RecordSeen,
  type Standing,
} from './ownership.ts';
export { createKeeper, type Keeper, type KeeperFacts, type Transition } from './keeper.ts';
export { macOwners, neighborOn, type Neighbor } from './roster.ts';
export { createBalance, evening } from './balance.ts';
export { recordOf, type Surroundings } from './standing.ts';
