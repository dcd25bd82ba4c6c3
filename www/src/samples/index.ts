/** The workflows that the demo begins with. */
import { children } from './children';
import { fanOut } from './fan-out';
import { purchase } from './purchase';
import { research } from './research';
import type { Sample } from './sample';
import { own } from './simple';

export type { Sample };
export const SAMPLES: readonly Sample[] = [research, fanOut, purchase, children, own];
