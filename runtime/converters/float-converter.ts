import { numberConverter } from './number-converter.ts';

/** org.apache.kafka.connect.converters.FloatConverter. */
export default numberConverter('float');
