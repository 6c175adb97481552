import { numberConverter } from './number-converter.ts';

/** org.apache.kafka.connect.converters.LongConverter. */
export default numberConverter('long');
