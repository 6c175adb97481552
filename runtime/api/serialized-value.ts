/**
 * In what form a sink writes values: `text`, what the JVM's String.valueOf prints, in UTF-8; `json`, what JsonConverter
 * writes with schemas.enable=false; `bytes`, bytes as they are: such a value is no {@link SerializedValue} but the bytes
 * themselves, which then stand in a larger buffer.
 */
export type SerializedForm = 'text' | 'json' | 'bytes';

/**
 * A value that was left in the bytes that it came in, since those are the very bytes that the sink would write for it.
 * Only sinks that ask for it meet one, as a record's value ({@link SinkPlugin.takesSerialized}).
 */
export class SerializedValue {
  /** In the form that the sink asked for; they stand in a larger buffer, and stay as they are. */
  readonly bytes: Uint8Array;
  readonly #read: (bytes: Uint8Array) => unknown;
  #value: unknown;

  /** `read` makes the value of these bytes, and cannot fail. */
  constructor(bytes: Uint8Array, read: (bytes: Uint8Array) => unknown) {
    this.bytes = bytes;
    this.#read = read;
  }

  /** The value itself, made when it is first asked for. */
  value(): unknown {
    return (this.#value ??= this.#read(this.bytes));
  }
}

/** The value itself, wherever it stands. */
export function plainValue(value: unknown): unknown {
  return value instanceof SerializedValue ? value.value() : value;
}
