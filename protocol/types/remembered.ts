/**
 * A bounded memory of results that can be found again: two generations, so that dropping is one assignment. What was
 * asked for since the younger one began is kept at least until that is full.
 */
export class Remembered<K, V> {
  private readonly maxWeight: number;
  private young = new Map<K, V>();
  private old = new Map<K, V>();
  private weight = 0;

  /** @param maxWeight of one generation; at most twice as much is kept */
  constructor(maxWeight: number) {
    this.maxWeight = maxWeight;
  }

  get(key: K, weight = 1): V | undefined {
    const found = this.young.get(key);
    if (found !== undefined) return found;
    const older = this.old.get(key);
    if (older !== undefined) this.set(key, older, weight);
    return older;
  }

  set(key: K, value: V, weight = 1): void {
    if (this.weight + weight > this.maxWeight) {
      this.old = this.young;
      this.young = new Map();
      this.weight = 0;
    }
    this.young.set(key, value);
    this.weight += weight;
  }
}
