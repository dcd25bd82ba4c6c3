/** Lines on a square of 16 units. */
export const PATHS = {
  created: 'M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11',
  start: 'M4.5 2.8v10.4l8.5-5.2z',
  pause: 'M5 3v10M11 3v10',
  step: 'M2.5 8h8M7.5 4.5L11 8l-3.5 3.5M13.5 3v10',
  stop: 'M3.5 3.5h9v9h-9z',
  done: 'M3 8.5l3.5 3.5L13 4.5',
  cross: 'M4 4l8 8M12 4l-8 8',
  cancelled: 'M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11M4.2 11.8l7.6-7.6',
  fork: 'M4 2.5v11M4 9c0-3 8-1.5 8-6M10 4.5l2-2 2 2',
  replay: 'M13 8a5 5 0 1 1-1.6-3.7M13.2 2v2.8h-2.8',
  save: 'M8 2.5v8M4.5 7L8 10.5L11.5 7M3 13.5h10',
  warning: 'M8 2.5l6 11H2zM8 6.5v3M8 11.6v.1',
} as const;

export type IconName = keyof typeof PATHS;
