# Bob: an assistant at another firm sees to the shops.
if address :domain "From" "shop.example" {
    redirect "assistant@elsewhere.example";
}
