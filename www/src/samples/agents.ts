/** All agents and tools of the samples, which plans of one's own may use too. */
import { childrenAgents } from './children';
import { fanOutAgents } from './fan-out';
import { purchaseAgents, purchaseTools } from './purchase';
import { researchAgents, researchTools } from './research';
import { ownAgents } from './simple';

export const agents = {
  ...researchAgents,
  ...fanOutAgents,
  ...purchaseAgents,
  ...childrenAgents,
  ...ownAgents,
};

export const tools = { ...researchTools, ...purchaseTools };
