/** Where many rows note the positions of their values: one typed array after another, each shared by many rows. */
export class SlotArena {
  slots = new Int32Array(0);
  #next = 0;

  /** Room for so many numbers in `slots`; returns where it begins. */
  reserve(count: number): number {
    if (this.#next + count > this.slots.length) {
      this.slots = new Int32Array(Math.max(16_384, count));
      this.#next = 0;
    }
    const at = this.#next;
    this.#next += count;
    return at;
  }
}
