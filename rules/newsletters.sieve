# Bulk mail that is no discussion: it can be unsubscribed from, and it is not a
# list that people write to.  Mail that answers one of yours stays.
require ["fileinto"];

if allof (exists "List-Unsubscribe",
          not exists ["List-Post"],
          not exists ["In-Reply-To"]) {
    fileinto "Newsletters";
    stop;
}
