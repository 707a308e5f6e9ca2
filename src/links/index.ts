/**
 * The node's interfaces, as the kernel tells of them: read with `ip -json`, and again after every change that `ip monitor`
 * reports. Decides nothing: which interface serves an address is `l2/`'s.
 */
export { linksOf, type IpAnswers } from './ip-json.ts';
export { watchLinks, type LinksOptions } from './watch-links.ts';
