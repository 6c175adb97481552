/** Told what a person may want to know of while it goes on by itself: an outage, a setting without effect. */
export type Warn = (message: string) => void;
