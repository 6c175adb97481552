import { numberConverter } from './number-converter.ts';

/** org.apache.kafka.connect.converters.ShortConverter. */
export default numberConverter('short');
