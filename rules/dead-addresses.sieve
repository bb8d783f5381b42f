# Addresses that only spam still uses are refused while the sender is connected:
# nothing but the envelope is looked at, and the stop lets the refusal be final
# at RCPT TO.  Put your own in the list.
require ["envelope", "subaddress", "ereject"];

if envelope :detail "to" ["shop-2019", "contest", "forum"] {
    ereject "5.1.1 This address is no longer in use.";
    stop;
}
