/** Names of objects: from the records alone, so that the same records always go to the same place. */

export interface NameSettings {
  readonly topicsDir: string;
  readonly directoryDelim: string;
  readonly fileDelim: string;
  readonly padWidth: number;
  /** `recreated.topics=separate` */
  readonly withTopicId: boolean;
}

export interface FilePlace {
  readonly topic: string;
  /** Empty where the log has no ids. */
  readonly topicId: string;
  readonly partition: number;
  readonly encodedPartition: string;
  readonly startOffset: bigint;
  /** Of a resubmitted dead letter: the topic it comes through, which partition and offset are of. Left out: `topic` itself, by whatever name. */
  readonly through?: string;
}

/**
 * `topics/orders/partition=0/orders+0+0000000042`, without an extension. Of a resubmitted dead letter it is
 * `topics/orders/partition=0/orders+connect-orders-s3-resubmitted+0+0000000003`: no number follows the topic, so it is
 * no other record's name; and it is the same however often it is written.
 */
export function objectName(place: FilePlace, settings: NameSettings): string {
  const { directoryDelim, fileDelim } = settings;
  const offset = place.startOffset.toString().padStart(settings.padWidth, '0');
  const origin = place.through === undefined ? [place.topic] : [place.topic, place.through];
  return `${folderOf(place, settings)}${place.encodedPartition}${directoryDelim}${[...origin, place.partition, offset].join(fileDelim)}`;
}

/** What all names of a topic begin with. */
export function folderOf({ topic, topicId }: Pick<FilePlace, 'topic' | 'topicId'>, settings: NameSettings): string {
  const { topicsDir, directoryDelim, withTopicId } = settings;
  const top = topicsDir.trim() === '' ? '' : `${topicsDir}${directoryDelim}`;
  // An id may hold any character of URL-safe base 64, and no delimiter.
  const id = withTopicId && topicId !== '' ? `topic_id=${topicId}${directoryDelim}` : '';
  return `${top}${topic}${directoryDelim}${id}`;
}

/** Whether a name is one of this partition's, whatever its folders. */
export function isFileOf(name: string, { topic, partition }: Pick<FilePlace, 'topic' | 'partition'>, settings: NameSettings): boolean {
  const file = name.slice(name.lastIndexOf(settings.directoryDelim) + settings.directoryDelim.length);
  const prefix = `${[topic, partition].join(settings.fileDelim)}${settings.fileDelim}`;
  return file.startsWith(prefix) && /^\d/.test(file.slice(prefix.length));
}
