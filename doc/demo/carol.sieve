# Carol: shops are refused while they are still connected.  The envelope tells, so the message is not even sent.
require ["envelope", "ereject"];

if envelope :domain "from" "shop.example" {
    ereject "5.7.1 No advertising here, please.";
    stop;
}
