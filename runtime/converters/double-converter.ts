import { numberConverter } from './number-converter.ts';

/** org.apache.kafka.connect.converters.DoubleConverter. */
export default numberConverter('double');
