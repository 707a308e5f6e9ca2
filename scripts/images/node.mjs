// The Node that goes into the image: the one that scripts/node pins, from npm, whatever Node runs this.
import { installNode, pinnedNodeChoice } from '../lib/node.mjs';

/** @returns {Promise<string>} its folder, with bin/node, include/node and LICENSE */
export async function pinnedNode() {
  const choice = await pinnedNodeChoice();
  if (!choice.installed) await installNode(choice);
  return choice.prefix;
}
