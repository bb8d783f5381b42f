require ["vnd.tamis.quarantine", "envelope"];
if envelope :domain "from" "spam.example" { quarantine "from there"; stop; }
if header :contains "subject" "invoice" {
	quarantine text:
Invoices are looked at
before anybody pays.
.
	;
}
